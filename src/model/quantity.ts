/** Kubernetes resource quantities: "10Gi", "1500m", "2e3". */
const factors: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
};

/** The plain number (bytes, cores, pieces). Throws RangeError for a text that is no quantity. */
export function parseQuantity(text: string): number {
  const match = /^([+-]?(?:\d+\.?\d*|\.\d+))(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/.exec(text.trim());
  const factor = factors[match?.[3] ?? ''];
  if (match?.[1] === undefined || factor === undefined) throw new RangeError(`"${text}" is no quantity`);
  return Number(match[1]) * factor * 10 ** Number(match[2] ?? 0);
}
