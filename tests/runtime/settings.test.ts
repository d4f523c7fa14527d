import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  Settings,
  defineSettings,
  formatDuration,
  parseSet,
  parseSetting,
} from '../../src/runtime/settings.ts';

const table = defineSettings({
  workers: { type: 'integer', default: 4, min: 1, max: 64, description: 'Workers.' },
  interval: { type: 'duration', default: 60_000, min: 1000, max: 86_400_000, description: 'Interval.' },
  strict: { type: 'flag', default: false, description: 'Strict.' },
  mode: { type: 'choice', default: 'fast', choices: ['fast', 'safe'], description: 'Mode.' },
  image: { type: 'text', default: '', pattern: /^[\w./:-]*$/, description: 'Image.' },
});

test('a setting has its default until a layer says otherwise, and the last layer wins', () => {
  const settings = new Settings(table);
  const workers: number = settings.get('workers');
  expect(workers).toBe(4);
  settings.overlay('command line', {
    workers: '8',
    interval: '5m',
    strict: 'true',
    mode: 'safe',
    image: 'a/b:1',
  });
  expect([
    settings.get('interval'),
    settings.get('strict'),
    settings.get('mode'),
    settings.get('image'),
  ]).toEqual([300_000, true, 'safe', 'a/b:1']);
  settings.overlay('object', { workers: '16' });
  expect(settings.get('workers')).toBe(16);
  settings.overlay('object', {});
  expect(settings.get('workers')).toBe(8);
});

test('listeners hear of what changed, and of nothing else', () => {
  const settings = new Settings(table);
  const heard: (readonly string[])[] = [];
  const listening = settings.onChange((changed) => heard.push(changed));
  settings.overlay('a', { workers: '8', mode: 'fast' });
  settings.overlay('a', { workers: '8' });
  listening[Symbol.dispose]();
  settings.overlay('a', {});
  expect(heard).toEqual([['workers']]);
});

test.each([
  [
    'wokers',
    '1',
    'SettingUnknown',
    'there is no setting "wokers"; there are: image, interval, mode, strict, workers',
  ],
  ['__proto__', '1', 'SettingUnknown', 'there is no setting'],
  ['workers', '0', 'SettingInvalid', 'workers=0: a whole number from 1 to 64 is needed'],
  ['workers', '1.5', 'SettingInvalid', 'a whole number'],
  ['workers', '', 'SettingInvalid', 'a whole number'],
  ['interval', '30', 'SettingInvalid', 'a duration from 1s to 1d, such as 30s or 5m'],
  ['interval', '2d', 'SettingInvalid', 'a duration'],
  ['strict', 'yes', 'SettingInvalid', 'true or false'],
  ['mode', 'slow', 'SettingInvalid', 'one of fast, safe'],
  ['image', 'a b', 'SettingInvalid', 'a text like'],
])('%s=%s is refused', (key, text, code, message) => {
  const settings = new Settings(table);
  const refused = (): void => settings.overlay('a', { strict: 'true', [key]: text });
  expect(refused).toThrow(message);
  expect(refused).toThrow(expect.objectContaining({ code }));
  expect(settings.get('strict')).toBe(false);
});

test('an argument of --set is split at its first equals sign', () => {
  expect(parseSet('image=a=b')).toEqual({ key: 'image', value: 'a=b' });
  expect(() => parseSet('image')).toThrow('write it as key=value');
  expect(() => parseSet('=x')).toThrow('write it as key=value');
});

test('a duration that is written is read as the same', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1000, max: 86_400_000 }), (ms) => {
      expect(parseSetting(table, 'interval', formatDuration(ms))).toBe(ms);
    }),
  );
});

test('a default that breaks its own rule is found when the table is made', () => {
  const bad = defineSettings({ x: { type: 'integer', default: 0, min: 1, max: 2, description: '' } });
  expect(() => new Settings(bad)).toThrow('a whole number from 1 to 2');
});
