import { parse } from 'node-cron';

type Fields = ReturnType<typeof parse>;

const dayMs = 86_400_000;
/** A leap day on a given day of the week comes at the latest after 40 years (2072 to 2112, over 2100). */
const longestSearchDays = 41 * 366;

/** What is wrong with a schedule; undefined: nothing, and it has a time to come. */
export function scheduleFault(text: string): string | undefined {
  let fields: Fields;
  try {
    fields = parse(text);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const words = [...fields.dayOfMonth, ...fields.dayOfWeek].filter((value) => Number.isNaN(Number(value)));
  if (words.length > 0) return `days like ${words.join(', ')} are not understood`;
  return nextMatch(text, 0) === undefined ? 'there is no such day' : undefined;
}

/**
 * The first moment of a schedule at or after `fromMs`, milliseconds since 1970, in UTC. A day must fit both the day of the month and the day of the week,
 * as node-cron has it. undefined: never, or the text is no schedule.
 */
export function nextMatch(text: string, fromMs: number): number | undefined {
  const fields = fieldsOf(text);
  if (fields === undefined) return undefined;
  const from = Math.ceil(fromMs / 1000) * 1000;
  const firstDay = Math.floor(from / dayMs) * dayMs;
  for (let days = 0; days < longestSearchDays; days += 1) {
    const day = firstDay + days * dayMs;
    if (!fitsDay(fields, new Date(day))) continue;
    const time = firstTimeOf(fields, Math.max(from, day) - day);
    if (time !== undefined) return day + time;
  }
  return undefined;
}

function fieldsOf(text: string): Fields | undefined {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function fitsDay(fields: Fields, date: Date): boolean {
  return (
    fits(fields.month, date.getUTCMonth() + 1) &&
    fits(fields.dayOfMonth, date.getUTCDate()) &&
    fits(fields.dayOfWeek, date.getUTCDay())
  );
}

/** Milliseconds into the day, at or after `fromMs`. */
function firstTimeOf(fields: Fields, fromMs: number): number | undefined {
  for (const hour of sorted(fields.hour)) {
    for (const minute of sorted(fields.minute)) {
      for (const second of sorted(fields.second)) {
        const time = ((hour * 60 + minute) * 60 + second) * 1000;
        if (time >= fromMs) return time;
      }
    }
  }
  return undefined;
}

function fits(values: readonly (string | number)[], value: number): boolean {
  return values.some((candidate) => Number(candidate) === value);
}

function sorted(values: readonly (string | number)[]): readonly number[] {
  return values.map(Number).sort((a, b) => a - b);
}
