import { DemoError } from './demo-error.ts';

/** What a demo can let happen, and what it is in words. */
export const demoFaults = {
  'vcenter-down': 'nobody answers at the vCenter for a while',
  'importer-crash': 'an importer crashes in the middle of its copy',
  'kill-controller': 'the controller is killed in whatever it does, and another one starts',
  'slow-consolidation': 'the vCenter takes a hundred times as long to merge a snapshot',
  'api-outage': 'nobody answers at the API server for a while',
} as const;
export type DemoFaultName = keyof typeof demoFaults;

/** Moments of a run that have a name; of the warm VM that comes to it first. */
export const demoMoments = {
  copy: 'while it is copied',
  pause: 'between two of its rounds',
  cutover: 'while it is out of service',
} as const;
export type DemoMoment = keyof typeof demoMoments;

export interface FaultChoice {
  readonly name: DemoFaultName;
  /** Or seconds after the start of the Migrations. */
  readonly when: DemoMoment | number;
}

/** "vcenter-down@copy", "api-outage@12.5". Throws DemoError `FaultUnknown`, which names what there is. */
export function parseFault(text: string): FaultChoice {
  const [, name = '', when = ''] = /^([^@]*)@(.*)$/s.exec(text) ?? [text, text];
  if (!Object.hasOwn(demoFaults, name)) {
    throw new DemoError(
      'FaultUnknown',
      `there is no fault "${name}"; write NAME@WHEN with one of ${Object.keys(demoFaults).join(', ')}.`,
    );
  }
  const fault = name as DemoFaultName;
  if (Object.hasOwn(demoMoments, when)) return { name: fault, when: when as DemoMoment };
  const seconds = when.trim() === '' ? Number.NaN : Number(when);
  if (Number.isFinite(seconds) && seconds >= 0) return { name: fault, when: seconds };
  throw new DemoError(
    'FaultUnknown',
    `"${when}" is no time for a fault; write ${name}@WHEN with a number of seconds after the start, or one of ` +
      `${Object.keys(demoMoments).join(', ')}.`,
  );
}
