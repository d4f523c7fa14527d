import { readdirSync, readFileSync } from 'node:fs';

/** Of /proc; the same on every Linux (man 5 proc: USER_HZ). */
const ticksPerSecond = 100;

/** CPU seconds so far of all processes that can be seen here with one of these names, by name. Linux only. */
export function programCpu(names: readonly string[]): Readonly<Record<string, number>> {
  const spent: Record<string, number> = {};
  for (const entry of readdirSync('/proc')) {
    const stat = /^\d+$/.test(entry) ? statOf(entry) : undefined;
    const found = names.find((name) => stat !== undefined && name.startsWith(stat.name));
    if (stat !== undefined && found !== undefined) spent[found] = (spent[found] ?? 0) + stat.seconds;
  }
  return spent;
}

/** Undefined: it has ended meanwhile. `name`: of the program, at most 15 characters. */
function statOf(pid: string): { readonly name: string; readonly seconds: number } | undefined {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined;
  }
  const end = text.lastIndexOf(')');
  const fields = text.slice(end + 2).split(' ');
  // Fields 14 and 15, of which the first two stand before `end`.
  const ticks = Number(fields[11]) + Number(fields[12]);
  return { name: text.slice(text.indexOf('(') + 1, end), seconds: ticks / ticksPerSecond };
}
