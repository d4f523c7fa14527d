/** Resource quantities ("10Gi", "500m", "2"), exact: in thousandths, as big integers. */
export interface Quantity {
  readonly milli: bigint;
  readonly binary: boolean;
}

const binarySuffixes = ['Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei'] as const;
const decimalSuffixes = ['k', 'M', 'G', 'T', 'P', 'E'] as const;
const form = /^([+-]?)(\d+)(?:\.(\d*))?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][+-]?\d+)?$/;

/** Undefined for what is no quantity. A part smaller than a thousandth is rounded up, as Kubernetes does. */
export function parseQuantity(text: string): Quantity | undefined {
  const match = form.exec(text);
  if (match === null) return undefined;
  const [, sign, whole = '0', fraction = '', suffix = ''] = match;
  const binaryPower = binarySuffixes.indexOf(suffix as (typeof binarySuffixes)[number]) + 1;
  const scaled = BigInt(whole + fraction) * 1000n * factor(suffix, binaryPower);
  const divisor = 10n ** BigInt(fraction.length + (suffix === 'm' ? 3 : negativeExponent(suffix)));
  const milli = (scaled + divisor - 1n) / divisor;
  return { milli: sign === '-' ? -milli : milli, binary: binaryPower > 0 };
}

export function add(a: Quantity, b: Quantity): Quantity {
  return { milli: a.milli + b.milli, binary: a.milli === 0n ? b.binary : a.binary };
}

export const zero: Quantity = { milli: 0n, binary: false };

/** The largest suffix that leaves a whole number, which is how Kubernetes writes one. */
export function formatQuantity({ milli, binary }: Quantity): string {
  if (milli % 1000n !== 0n) return `${milli}m`;
  const base = binary ? 1024n : 1000n;
  const suffixes = binary ? binarySuffixes : decimalSuffixes;
  let value = milli / 1000n;
  let power = 0;
  while (value !== 0n && value % base === 0n && power < suffixes.length) {
    value /= base;
    power += 1;
  }
  return `${value}${power === 0 ? '' : (suffixes[power - 1] ?? '')}`;
}

function factor(suffix: string, binaryPower: number): bigint {
  if (binaryPower > 0) return 1024n ** BigInt(binaryPower);
  const decimalPower = decimalSuffixes.indexOf(suffix as (typeof decimalSuffixes)[number]) + 1;
  if (decimalPower > 0) return 1000n ** BigInt(decimalPower);
  return /^[eE]\+?\d/.test(suffix) ? 10n ** BigInt(suffix.slice(1)) : 1n;
}

function negativeExponent(suffix: string): number {
  return /^[eE]-\d/.test(suffix) ? -Number(suffix.slice(1)) : 0;
}
