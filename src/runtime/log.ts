/** Structured logging as the rest of the code sees it; winston stands behind it in winston.ts and nowhere else. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger that adds these fields to each of its lines. */
  child(fields: LogFields): Logger;
  /** Guard for a line that is costly to make. */
  readonly isDebug: boolean;
}

/** Lines that speak of one VM's move carry all of the first five, so that a search for its name tells the story. */
export interface LogFields {
  readonly plan?: string;
  readonly migration?: string;
  readonly vm?: string;
  readonly import?: string;
  readonly phase?: string;
  readonly error?: unknown;
  readonly [field: string]: unknown;
}
