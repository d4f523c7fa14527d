import { shortHash } from '../model/short-hash.ts';

/** Kubernetes' limit for a label value and for a DNS label. */
export const longestLabelValue = 63;
const hashLength = 8;
const validValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

export function isLabelValue(text: string): boolean {
  return text.length <= longestLabelValue && validValue.test(text);
}

const keyPrefix = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const longestPrefix = 253;

/** "name" or "example.com/name". */
export function isLabelKey(text: string): boolean {
  const slash = text.lastIndexOf('/');
  const prefix = text.slice(0, Math.max(slash, 0));
  const isPrefixed = slash < 0 || (prefix.length <= longestPrefix && keyPrefix.test(prefix));
  const name = text.slice(slash + 1);
  return isPrefixed && name !== '' && isLabelValue(name);
}

/**
 * The text itself where it may stand as a label value; else its readable part, cut, and a hash, so that two texts never share a value.
 * Names of plans and keys of disks are often longer than 63 characters or hold a slash (review.md F16).
 */
export function labelValue(text: string): string {
  if (isLabelValue(text)) return text;
  const hash = shortHash([text], hashLength);
  const readable = text
    .replace(/[^A-Za-z0-9_.-]+/g, '-')
    .replace(/^[^A-Za-z0-9]+/, '')
    .slice(0, longestLabelValue - hashLength - 1)
    .replace(/[^A-Za-z0-9]+$/, '');
  return readable === '' ? hash : `${readable}-${hash}`;
}
