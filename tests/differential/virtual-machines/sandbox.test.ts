import { expect, test } from '@jest/globals';
import { namespaces } from '../../../src/api/kinds.ts';
import { createKubeClient } from '../../../src/kube/rest-client.ts';
import { EmbeddedApiServer } from '../../../src/sandbox/api/api-server.ts';
import { SwitchedFaults } from '../../../src/sandbox/faults.ts';
import { registerKubeVirtAdmission } from '../../../src/sandbox/kubevirt/admission.ts';
import { seededRandom } from '../../../src/sandbox/random.ts';
import { SimulatedClock } from '../../../src/sandbox/simulated-clock.ts';
import { RecordedTrace } from '../../../src/sandbox/trace.ts';
import { differencesBetween, judge } from '../differences.ts';
import { knownDifferences } from '../known-differences.ts';
import { answersTo, machineNamespace, readAnswers } from './answers.ts';
import { badMachines } from './bad-machines.ts';

const suite = 'virtual-machines';

test('the sandbox judges VirtualMachines as KubeVirt does, and in its words', async () => {
  const clock = new SimulatedClock({ start: Date.UTC(2026, 0, 1) });
  const trace = new RecordedTrace(clock);
  const random = seededRandom(1);
  await using api = new EmbeddedApiServer({ clock, random, faults: new SwitchedFaults(trace), trace });
  registerKubeVirtAdmission(api, { random });
  const transport = api.transport('test');
  const client = createKubeClient(transport, { clock, random });
  await client.create(namespaces, {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: machineNamespace },
  });

  const sandbox = await answersTo(transport, badMachines);
  const real = await readAnswers();
  const differences = badMachines.flatMap(({ name }) =>
    differencesBetween(real[name], sandbox[name], `${suite} > ${name}`),
  );
  expect(judge(differences, knownDifferences, suite)).toEqual({ unexplained: [], healed: [] });
});

test('there is an answer of the real KubeVirt for each of them, and none too many', async () => {
  expect(Object.keys(await readAnswers()).sort()).toEqual(badMachines.map(({ name }) => name).sort());
});
