import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format } from 'prettier';
import type { Transport } from '../../../src/kube/transport.ts';
import type { MachineCase } from './bad-machines.ts';

/** What a cluster says to a VirtualMachine: why it refuses it, or what it makes of it. */
export interface MachineAnswer {
  readonly status: number;
  readonly message?: string;
  /** With identifiers that KubeVirt draws at random taken out. */
  readonly spec?: unknown;
}
export type MachineAnswers = Readonly<Record<string, MachineAnswer>>;

export const machineNamespace = 'target';

/** By the names of the cases. Everything is checked and nothing is stored; the namespace must exist. */
export async function answersTo(
  transport: Transport,
  cases: readonly MachineCase[],
): Promise<MachineAnswers> {
  const answers: [string, MachineAnswer][] = [];
  for (const { name, machine } of cases) {
    const answer = await transport.request({
      method: 'POST',
      path: `/apis/kubevirt.io/v1/namespaces/${machineNamespace}/virtualmachines`,
      query: { dryRun: 'All', fieldValidation: 'Strict' },
      body: machine,
    });
    const body = answer.body as { readonly message?: string; readonly spec?: unknown };
    answers.push([
      name,
      answer.status === 201
        ? { status: answer.status, spec: withoutDrawn(body.spec) }
        : { status: answer.status, message: body.message ?? '' },
    ]);
  }
  return Object.fromEntries(answers);
}

/** Members in the order of their names, so that the file says the same whoever writes it. */
function withoutDrawn(value: unknown): unknown {
  if (typeof value === 'string') return uuid.test(value) ? '<uuid>' : value;
  if (Array.isArray(value)) return value.map(withoutDrawn);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(members.map(([name, member]) => [name, withoutDrawn(member)]));
}
const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;

const file = join(import.meta.dirname, 'real', 'machines.json');

/** What the real programs answered: recorded on a testbed, never written by hand. */
export async function readAnswers(): Promise<MachineAnswers> {
  return JSON.parse(await readFile(file, 'utf8')) as MachineAnswers;
}

export async function recordAnswers(answers: MachineAnswers): Promise<void> {
  await writeFile(file, await format(JSON.stringify(answers), { parser: 'json', printWidth: 110 }));
}
