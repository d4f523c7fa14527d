const invisible = /^[\p{Mn}\p{Me}\u200b-\u200d\ufe0f]$/u;
/** Scripts and signs that a terminal draws two cells wide. */
const wide =
  /^[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Emoji_Presentation}\uff01-\uff60]$/u;
/** Controls, and format characters that turn the direction of a line. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
const ellipsis = '…';

/** Names come from a source and may hold anything: what would move the cursor or start an escape sequence is shown as "?". */
export function printable(text: string): string {
  return text.replaceAll(unprintable, '?');
}

/** Cells of a terminal that the text takes. */
export function textWidth(text: string): number {
  let width = 0;
  for (const character of text) width += cellsOf(character);
  return width;
}

/** The text itself, or as much of it as fits before an ellipsis. */
export function clipText(text: string, width: number): string {
  if (textWidth(text) <= width) return text;
  let used = 1;
  let kept = '';
  for (const character of text) {
    used += cellsOf(character);
    if (used > width) break;
    kept += character;
  }
  return width < 1 ? '' : `${kept.trimEnd()}${ellipsis}`;
}

export function padText(text: string, width: number, align: 'left' | 'right'): string {
  const space = ' '.repeat(Math.max(0, width - textWidth(text)));
  return align === 'left' ? text + space : space + text;
}

function cellsOf(character: string): number {
  if (invisible.test(character)) return 0;
  return wide.test(character) ? 2 : 1;
}
