import { defaultSettings, type EngineSettings } from '../migration/settings.ts';
import { parseSet, parseSetting, type NumberSetting } from '../runtime/settings.ts';

const longestSeconds = 365 * 24 * 3600;

/** The engine's settings as `--set key=value` takes them: whole numbers, in the unit that the key ends in. */
export const engineSettingTable: Readonly<Record<keyof EngineSettings, NumberSetting>> = Object.fromEntries(
  Object.entries(defaultSettings).map(([key, value]: [string, number]) => [
    key,
    { type: 'integer', default: value, min: 0, max: longestSeconds, description: describe(key) },
  ]),
) as Record<keyof EngineSettings, NumberSetting>;

/** Throws SettingError, which names the argument that is wrong and what would be right. */
export function engineSettings(sets: readonly string[]): EngineSettings {
  const overlay = sets.map((argument) => {
    const { key, value } = parseSet(argument);
    return [key, parseSetting(engineSettingTable, key, value)] as const;
  });
  return { ...defaultSettings, ...Object.fromEntries(overlay) };
}

/** "powerOffDeadlineSeconds": "power off deadline, seconds". */
function describe(key: string): string {
  const words = key.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return words.replace(/ (seconds|percent)$/, ', $1');
}
