/**
 * Foreign text (faults of a platform, termination messages of a pod) may quote the secrets that it was given. It is scrubbed once,
 * where it enters; after that nobody has to think of it (design: review.md F75).
 */
export type Scrub = (text: string) => string;

/** Values shorter than this are left alone: a one-letter user name would make every text unreadable. */
const shortestSecret = 4;

/** A shorter piece of base64 stands in too many words. */
const shortestCore = 8;

/**
 * What base64 makes of a value in the middle of a longer text, as in the header of basic authentication: the digits that depend on nothing
 * else, for each of the three places at which it may begin.
 */
function base64Cores(value: string): readonly string[] {
  const bytes = Buffer.from(value, 'utf8');
  return [0, 1, 2].flatMap((before) => {
    const digits = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    const core = digits.slice(Math.ceil((before * 8) / 6), Math.floor(((before + bytes.length) * 8) / 6));
    return core.length < shortestCore ? [] : [core, core.replaceAll('+', '-').replaceAll('/', '_')];
  });
}

/** Replaces each value, and its URL-encoded and base64 forms, by `***`. Longer forms go first, so that no tail stays behind. */
export function scrubber(values: Iterable<string>): Scrub {
  const forms = new Set<string>();
  for (const value of values) {
    if (value.length < shortestSecret) continue;
    forms.add(value);
    forms.add(encodeURIComponent(value));
    forms.add(Buffer.from(value, 'utf8').toString('base64'));
    forms.add(Buffer.from(value, 'utf8').toString('base64url'));
    forms.add(JSON.stringify(value).slice(1, -1));
    for (const core of base64Cores(value)) forms.add(core);
  }
  const longestFirst = [...forms].sort((a, b) => b.length - a.length);
  return (text) => longestFirst.reduce((scrubbed, form) => scrubbed.replaceAll(form, '***'), text);
}
