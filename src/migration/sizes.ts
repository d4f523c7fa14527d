const mib = 2 ** 20;
const gib = 2 ** 30;

/** "3.1 of 10 GiB", in the unit that suits the whole. Bytes in. */
export function amountOf(doneBytes: number, totalBytes: number): string {
  const unit = totalBytes >= gib ? { name: 'GiB', bytes: gib } : { name: 'MiB', bytes: mib };
  return `${shortNumber(doneBytes / unit.bytes)} of ${shortNumber(totalBytes / unit.bytes)} ${unit.name}`;
}

function shortNumber(value: number): string {
  return value.toFixed(1).replace(/\.0$/, '');
}
