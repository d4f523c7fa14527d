import type { KubeObject } from '../../api/meta.ts';
import type { ObjectPage } from './reading.ts';
import { notAcceptable } from './refusal.ts';
import type { ServedKind } from './served-kind.ts';
import type { StoredObject } from './stored-object.ts';

/** How an answer is to look: objects whole, their metadata alone, or a table (fact: meta.k8s.io/v1). */
export type AnswerForm = 'whole' | 'metadata' | 'table';

/** The first form of an Accept header that is served here. Throws Refusal 406 where there is none. */
export function formOf(accept: string | undefined): AnswerForm {
  if (accept === undefined || accept.trim() === '') return 'whole';
  for (const wanted of accept.split(',')) {
    const [type = '', ...parameters] = wanted.split(';').map((part) => part.trim());
    const by = new Map(parameters.map((parameter) => parameter.split('=', 2) as [string, string]));
    const as = by.get('as');
    if (!['application/json', 'application/*', '*/*'].includes(type)) continue;
    if (as === undefined) return 'whole';
    if (by.get('g') !== 'meta.k8s.io' || by.get('v') !== 'v1') continue;
    if (as === 'Table') return 'table';
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return 'metadata';
  }
  throw notAcceptable();
}

const apiVersion = 'meta.k8s.io/v1';

export function partial({ metadata }: KubeObject): object {
  return { kind: 'PartialObjectMetadata', apiVersion, metadata };
}

export function metadataList({ metadata, items }: ObjectPage): object {
  return { kind: 'PartialObjectMetadataList', apiVersion, metadata, items: items.map(partial) };
}

/** Items of a built-in kind do not say again what they are; a list of custom resources names its token also where it has none. */
export function asList({ custom }: ServedKind, page: ObjectPage): object {
  if (custom) return { ...page, metadata: { continue: '', ...page.metadata } };
  return { ...page, items: page.items.map(withoutType) };
}

function withoutType({ apiVersion: _, kind: __, ...rest }: StoredObject): object {
  return rest;
}
