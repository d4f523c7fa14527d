import { asList, asText, member } from './values.ts';
import { decodeXml } from './xml-decode.ts';

/** The newest vim25 level that this code was written against; a newer server answers at this level. */
export const newestKnown = '8.0.2.0';
/** For a server whose list cannot be read. */
const oldestKnown = '6.5';

/** What to name in SOAPAction: the newest version that both sides know, from vimServiceVersions.xml. */
export function negotiateVersion(xml: string): string {
  try {
    const document = decodeXml(xml);
    const entries = asList(member(document.value, 'namespace'));
    const vim25 = entries.find((entry) => asText(member(entry, 'name')) === 'urn:vim25');
    const offered = [member(vim25, 'version'), ...asList(member(vim25, 'priorVersions', 'version'))].flatMap(
      (version) => asText(version) ?? [],
    );
    const common = offered.filter((version) => compareVersions(version, newestKnown) <= 0);
    return common.sort(compareVersions).at(-1) ?? oldestKnown;
  } catch {
    return oldestKnown;
  }
}

/** By their numbers, a missing part counts as 0: "6.7" < "7.0.0.0". */
export function compareVersions(a: string, b: string): number {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  for (let part = 0; part < Math.max(left.length, right.length); part += 1) {
    const difference = (left[part] ?? 0) - (right[part] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
