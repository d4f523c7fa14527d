import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments } from 'yaml';
import type { Secret } from '../../api/external/core.ts';
import { allKinds, migrations, plans, providers, secrets } from '../../api/kinds.ts';
import { apiVersionOf, type KubeObject, type ResourceKind } from '../../api/meta.ts';
import type { Plan } from '../../api/plan.ts';
import type { Provider } from '../../api/provider.ts';
import type { KubeClient } from '../../kube/client.ts';
import { DemoError } from './demo-error.ts';

export interface Sample {
  readonly kind: ResourceKind;
  readonly object: KubeObject;
}

/** What stands in the manifests for a reader to fill in, and what it is here. */
export interface SampleValues {
  readonly url: string;
  readonly user: string;
  readonly password: string;
  readonly caPem: string;
  /** Names for the plan; undefined: those of the manifest. */
  readonly vmNames: readonly string[] | undefined;
}

export const samplesFolder = fileURLToPath(new URL('../../../manifests/samples/', import.meta.url));
/** The plan of the warm VMs, and its Migration; all else is that of the other manifests. */
export const warmSamplesFolder = `${samplesFolder}warm/`;
const vddkImage = 'sandbox.gantry.dev/vddk:8.0.3';

/** The manifests of manifests/samples in the order of their names. Throws DemoError `SamplesInvalid` naming the file. */
export async function readSamples(folder = samplesFolder): Promise<readonly Sample[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.yaml')).sort();
  const files = await Promise.all(names.map(async (name) => readFile(`${folder}/${name}`, 'utf8')));
  return files.flatMap((text, index) => parseSamples(text, names[index] ?? ''));
}

export function parseSamples(text: string, file: string): readonly Sample[] {
  return parseAllDocuments(text).map((document) => {
    const [error] = document.errors;
    if (error !== undefined) throw new DemoError('SamplesInvalid', `${file}: ${error.message}`);
    const object = document.toJS() as KubeObject;
    const kind = allKinds.find(
      (each) => each.kind === object.kind && apiVersionOf(each) === object.apiVersion,
    );
    if (kind === undefined) {
      throw new DemoError('SamplesInvalid', `${file}: there is no kind ${object.apiVersion} ${object.kind}`);
    }
    return { kind, object };
  });
}

/** The same manifests with the placeholders filled in; the files stay as they are. */
export function fillIn(samples: readonly Sample[], values: SampleValues): readonly Sample[] {
  return samples.map(({ kind, object }) => ({ kind, object: filledIn(kind, object, values) }));
}

function filledIn(kind: ResourceKind, object: KubeObject, values: SampleValues): KubeObject {
  if (kind === secrets) {
    const { stringData, ...secret } = object as Secret;
    const { user, password, caPem } = values;
    return { ...secret, stringData: { ...stringData, user, password, 'ca.crt': caPem } } as KubeObject;
  }
  if (kind === providers) return filledInProvider(object as Provider, values.url);
  if (kind === plans && values.vmNames !== undefined) {
    const plan = object as Plan;
    const vms = values.vmNames.map((name) => ({ name }));
    return { ...plan, spec: { ...plan.spec, description: 'VMs of the demo', vms } } as KubeObject;
  }
  return object;
}

function filledInProvider(provider: Provider, url: string): KubeObject {
  if (provider.spec.type !== 'vsphere') return provider;
  const settings = { ...provider.spec.settings, vddkInitImage: vddkImage };
  return { ...provider, spec: { ...provider.spec, url, settings } } as KubeObject;
}

/** Creates each in turn, as `kubectl create` would. */
export async function createAll(
  client: KubeClient,
  samples: readonly Sample[],
  signal: AbortSignal,
): Promise<void> {
  for (const { kind, object } of samples) await client.create(kind, object, {}, signal);
}

/** A plan and what starts it. */
export interface PlannedRun {
  readonly migration: Sample;
  readonly plan: Plan;
}

/** All but the Migration, and the Migration, which starts the run. */
export function splitOffMigration(
  samples: readonly Sample[],
): PlannedRun & { readonly before: readonly Sample[] } {
  const migration = samples.find(({ kind }) => kind === migrations);
  const plan = samples.find(({ kind }) => kind === plans);
  if (migration === undefined || plan === undefined) {
    throw new DemoError('SamplesInvalid', `${samplesFolder} has no Plan or no Migration`);
  }
  return { before: samples.filter((each) => each !== migration), migration, plan: plan.object as Plan };
}
