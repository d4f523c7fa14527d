import { compileRegex, matchRegex, type RegexMatch } from './regex-program.ts';
import { parseRegex, RegexError, type Regex } from './regex-syntax.ts';

/** Many times what a name needs. Matches that look ahead to the end of the text each time would otherwise cost its square. */
const mostSteps = 200_000;

/**
 * Go's Regexp.ReplaceAllString: every match that does not overlap, with $1, ${1} and ${name} in the replacement. The expression is RE2's
 * syntax; look-arounds, references back, Unicode classes and flags but a leading (?i) are refused.
 */
export function replaceMatches(
  expression: string,
  text: string,
  replacement: string,
): { readonly text: string; readonly error?: undefined } | { readonly error: string } {
  try {
    return { text: replaceAll(parseRegex(expression), Array.from(text), replacement) };
  } catch (error) {
    if (!(error instanceof RegexError)) throw error;
    return { error: `${JSON.stringify(expression)} is no expression that can be used: ${error.message}` };
  }
}

function replaceAll(regex: Regex, letters: readonly string[], replacement: string): string {
  const program = compileRegex(regex.root);
  const budget = { steps: mostSteps };
  let result = '';
  let copied = 0;
  let from = 0;
  while (from <= letters.length) {
    const match = matchRegex(program, letters, from, budget);
    const [begin, end] = match ?? [];
    if (match === undefined || begin === undefined || end === undefined) break;
    result += letters.slice(copied, begin).join('');
    // An empty match right behind another one does not count (Go's rule).
    if (end > copied || begin === 0) result += expand(replacement, regex, match, letters);
    copied = end;
    from = from + 1 > end ? from + 1 : end;
  }
  return result + letters.slice(copied).join('');
}

/** A name is as long as it can be: "$1W" is the group called 1W, which there is not, and gives nothing. */
function expand(replacement: string, regex: Regex, match: RegexMatch, letters: readonly string[]): string {
  return replacement.replace(
    /\$(?:\$|\{(\w+)\}|(\w+))/g,
    (whole, braced: string | undefined, bare: string | undefined) => {
      if (whole === '$$') return '$';
      const name = braced ?? bare ?? '';
      const index = /^\d+$/.test(name) ? Number(name) : regex.names.get(name);
      if (index === undefined) return '';
      const [begin, end] = [match[2 * index], match[2 * index + 1]];
      return begin === undefined || end === undefined ? '' : letters.slice(begin, end).join('');
    },
  );
}
