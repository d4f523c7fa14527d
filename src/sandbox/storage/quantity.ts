import { parseQuantity } from '../api/quantity.ts';

/** A Kubernetes quantity ("64Mi", "1.5G", "500m", "1e3") as a number; undefined where it is none. */
export function quantityValue(text: string): number | undefined {
  const exact = parseQuantity(text);
  return exact === undefined ? undefined : Number(exact.milli) / 1000;
}
