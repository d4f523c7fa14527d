import { createLogger as createWinston, format, transports } from 'winston';
import type { Logger as Winston } from 'winston';
import type { Scrub } from '../model/scrub.ts';
import type { Clock } from './clock.ts';
import { errorFields } from './error-fields.ts';
import type { LogFields, Logger } from './log.ts';

export const logLevels = ['error', 'warn', 'info', 'debug'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface LoggerOptions {
  readonly level: LogLevel;
  /** json: one object a line, for machines. line: for a person at a terminal. */
  readonly format: 'json' | 'line';
  readonly clock: Clock;
  /** Last guard before the output: replaces secrets in the finished line. */
  readonly scrub?: Scrub;
  /** Where lines go; default standard error, since standard output belongs to the command's own result. */
  readonly output?: NodeJS.WritableStream;
}

/** Fields whose value is never written, whatever it is: a name like this means that someone logged too much. */
const secretField =
  /passw(or)?d|passphrase|authorization|cookie|(^|access|bearer|id|refresh)_?token$|(private|secret)_?key$|client_?secret/i;

/** The Logger of the process. Nothing else imports winston. */
export function createLogger(options: LoggerOptions): Logger {
  const { scrub = (text: string) => text, clock } = options;
  const render = options.format === 'json' ? jsonLine : plainLine;
  const winston = createWinston({
    level: options.level,
    format: format.printf(({ level, message, fields }) => {
      const time = new Date(clock.now()).toISOString();
      return scrub(render(time, level, String(message), fields as LogFields));
    }),
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- winston's types name two classes for one
    transports: [new transports.Stream({ stream: options.output ?? process.stderr })],
  });
  return new WinstonLogger(winston, {});
}

class WinstonLogger implements Logger {
  readonly #winston: Winston;
  readonly #fields: LogFields;

  constructor(winston: Winston, fields: LogFields) {
    this.#winston = winston;
    this.#fields = fields;
  }

  get isDebug(): boolean {
    return this.#winston.isDebugEnabled();
  }

  debug(message: string, fields?: LogFields): void {
    // winston takes microseconds to find out that a level is off.
    if (this.isDebug) this.#log('debug', message, fields);
  }

  info(message: string, fields?: LogFields): void {
    this.#log('info', message, fields);
  }

  warn(message: string, fields?: LogFields): void {
    this.#log('warn', message, fields);
  }

  error(message: string, fields?: LogFields): void {
    this.#log('error', message, fields);
  }

  child(fields: LogFields): Logger {
    return new WinstonLogger(this.#winston, { ...this.#fields, ...fields });
  }

  #log(level: LogLevel, message: string, fields: LogFields | undefined): void {
    // In one field of its own: winston takes `message` and `stack` of what is spread into the line for its own.
    this.#winston.log({ level, message, fields: { ...this.#fields, ...fields } });
  }
}

function jsonLine(time: string, level: string, message: string, fields: LogFields): string {
  return JSON.stringify({ time, level, message, ...plainFields(fields) });
}

/** "12:00:01.123 WARN  message  key=value key="two words" error=KubeError Conflict: ..." and the stack below it. */
function plainLine(time: string, level: string, message: string, fields: LogFields): string {
  const parts: string[] = [];
  let stack = '';
  for (const [key, value] of Object.entries(plainFields(fields))) {
    if (value === undefined) continue;
    if (isErrorFields(value)) {
      parts.push(
        `${key}=${quoted(`${value.name}${value.code === undefined ? '' : ` ${value.code}`}: ${value.message}`)}`,
      );
      if (level === 'error' && value.stack !== undefined) stack = `\n${value.stack}`;
    } else parts.push(`${key}=${quoted(typeof value === 'string' ? value : JSON.stringify(value))}`);
  }
  const tail = parts.length === 0 ? '' : `  ${parts.join(' ')}`;
  return `${time.slice(11, 23)} ${level.toUpperCase().padEnd(5)} ${message}${tail}${stack}`;
}

function plainFields(fields: LogFields): Readonly<Record<string, unknown>> {
  const plain: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(fields)) {
    plain[key] = secretField.test(key) ? '***' : plainValue(value);
  }
  return plain;
}

/** What JSON cannot say or says as {}: errors, big integers, cycles. */
function plainValue(value: unknown): unknown {
  const error = errorFields(value);
  if (error !== undefined) return error;
  if (typeof value === 'bigint') return value.toString();
  if (typeof value !== 'object' || value === null) return value;
  try {
    return JSON.parse(JSON.stringify(value, (key, inner: unknown) => replaced(key, inner))) as unknown;
  } catch {
    return '[cannot be written as JSON]';
  }
}

function replaced(key: string, value: unknown): unknown {
  if (secretField.test(key)) return '***';
  return typeof value === 'bigint' ? value.toString() : (errorFields(value) ?? value);
}

function isErrorFields(value: unknown): value is {
  readonly name: string;
  readonly message: string;
  readonly code?: string;
  readonly stack?: string;
} {
  return typeof value === 'object' && value !== null && 'name' in value && 'message' in value;
}

function quoted(text: string): string {
  return /^[^\s"=]+$/.test(text) ? text : JSON.stringify(text);
}
