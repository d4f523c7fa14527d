/** What a setting may hold. Durations are milliseconds, sizes bytes. */
export type SettingValue = number | boolean | string;

interface SettingBase<T extends SettingValue> {
  readonly default: T;
  /** For people: one sentence. */
  readonly description: string;
}
export interface NumberSetting extends SettingBase<number> {
  readonly type: 'integer';
  readonly min: number;
  readonly max: number;
}
/** Written as "250ms", "30s", "5m", "2h", "1d"; a bare number is refused, as nobody would know its unit. */
export interface DurationSetting extends SettingBase<number> {
  readonly type: 'duration';
  readonly min: number;
  readonly max: number;
}
export interface FlagSetting extends SettingBase<boolean> {
  readonly type: 'flag';
}
export interface ChoiceSetting extends SettingBase<string> {
  readonly type: 'choice';
  readonly choices: readonly string[];
}
export interface TextSetting extends SettingBase<string> {
  readonly type: 'text';
  readonly pattern?: RegExp;
}
export type Setting = NumberSetting | DurationSetting | FlagSetting | ChoiceSetting | TextSetting;

export type SettingTable = Readonly<Record<string, Setting>>;
export type SettingValues<T extends SettingTable> = {
  readonly [K in keyof T]: T[K]['default'] extends number
    ? number
    : T[K]['default'] extends boolean
      ? boolean
      : string;
};

/** Names what was given, what is wrong with it and what would be right. */
export class SettingError extends Error {
  readonly code: 'SettingUnknown' | 'SettingInvalid' | 'SettingMalformed';

  constructor(code: SettingError['code'], message: string) {
    super(message);
    this.name = 'SettingError';
    this.code = code;
  }
}

export type SettingListener = (changed: readonly string[]) => void;

/**
 * The settings of a process: one table says what there is, later layers overlay earlier ones and take effect at once. Whoever needs a
 * value reads it when he needs it, or listens.
 */
export class Settings<T extends SettingTable> {
  readonly table: T;
  readonly #layers = new Map<string, Readonly<Record<string, SettingValue>>>();
  readonly #listeners = new Set<SettingListener>();

  /** Throws SettingError when a default breaks its own rule. */
  constructor(table: T) {
    this.table = table;
    for (const [key, setting] of Object.entries(table)) check(key, setting, setting.default);
  }

  get<K extends keyof T & string>(key: K): SettingValues<T>[K] {
    let value: SettingValue = (this.table[key] as Setting).default;
    for (const layer of this.#layers.values()) value = layer[key] ?? value;
    return value as SettingValues<T>[K];
  }

  /**
   * Replaces one layer whole by `values` (texts as a user writes them). Layers count in the order in which they first came. Throws
   * SettingError, and then nothing has changed.
   */
  overlay(layer: string, values: Readonly<Record<string, string>>): void {
    const parsed: Record<string, SettingValue> = {};
    for (const [key, text] of Object.entries(values)) parsed[key] = parseSetting(this.table, key, text);
    const before = this.#all();
    this.#layers.set(layer, parsed);
    const changed = Object.keys(before).filter((key) => before[key] !== this.get(key));
    if (changed.length > 0) for (const listener of [...this.#listeners]) listener(changed);
  }

  /** Called with the keys whose value changed. */
  onChange(listener: SettingListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #all(): Readonly<Record<string, SettingValue>> {
    return Object.fromEntries(Object.keys(this.table).map((key) => [key, this.get(key)]));
  }
}

/** The type of the table, kept as written. */
export function defineSettings<const T extends SettingTable>(table: T): T {
  return table;
}

/** "key=value" as it stands after --set. Throws SettingError when it has no "=". The value may hold more of them. */
export function parseSet(argument: string): { readonly key: string; readonly value: string } {
  const equals = argument.indexOf('=');
  if (equals <= 0) {
    throw new SettingError('SettingMalformed', `--set ${argument}: write it as key=value`);
  }
  return { key: argument.slice(0, equals).trim(), value: argument.slice(equals + 1).trim() };
}

/** The value that `text` means for `key`. Throws SettingError. */
export function parseSetting(table: SettingTable, key: string, text: string): SettingValue {
  const setting = Object.hasOwn(table, key) ? table[key] : undefined;
  if (setting === undefined) {
    const known = Object.keys(table).sort().join(', ');
    throw new SettingError('SettingUnknown', `there is no setting "${key}"; there are: ${known}`);
  }
  const value = read(setting, text);
  if (value === undefined) throw invalid(key, text, setting);
  check(key, setting, value);
  return value;
}

/** What a user may write, for an error or a table of settings. */
export function describeSetting(setting: Setting): string {
  switch (setting.type) {
    case 'integer':
      return `a whole number from ${setting.min} to ${setting.max}`;
    case 'duration':
      return `a duration from ${formatDuration(setting.min)} to ${formatDuration(setting.max)}, such as 30s or 5m`;
    case 'flag':
      return 'true or false';
    case 'choice':
      return `one of ${setting.choices.join(', ')}`;
    case 'text':
      return setting.pattern === undefined ? 'a text' : `a text like ${setting.pattern.source}`;
  }
}

const durationUnits: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

function read(setting: Setting, text: string): SettingValue | undefined {
  switch (setting.type) {
    case 'integer':
      return /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
    case 'duration': {
      const [, amount, unit] = /^(\d{1,9})(ms|s|m|h|d)$/.exec(text) ?? [];
      return amount === undefined ? undefined : Number(amount) * (durationUnits[unit ?? ''] ?? NaN);
    }
    case 'flag':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'choice':
    case 'text':
      return text;
  }
}

function check(key: string, setting: Setting, value: SettingValue): void {
  const isGood = ((): boolean => {
    switch (setting.type) {
      case 'integer':
      case 'duration':
        return typeof value === 'number' && value >= setting.min && value <= setting.max;
      case 'flag':
        return typeof value === 'boolean';
      case 'choice':
        return setting.choices.includes(String(value));
      case 'text':
        return setting.pattern?.test(String(value)) ?? true;
    }
  })();
  if (!isGood) throw invalid(key, String(value), setting);
}

function invalid(key: string, text: string, setting: Setting): SettingError {
  return new SettingError('SettingInvalid', `${key}=${text}: ${describeSetting(setting)} is needed`);
}

/** The largest unit that leaves no rest. */
export function formatDuration(ms: number): string {
  const fitting = Object.entries(durationUnits).filter(([, length]) => ms % length === 0 && ms >= length);
  const [unit = 'ms', length = 1] = fitting.at(-1) ?? [];
  return `${ms / length}${unit}`;
}
