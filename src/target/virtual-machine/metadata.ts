import { displayNameAnnotation, originalIdAnnotation, originalNameAnnotation } from '../../api/labels.ts';
import { longestLabelValue } from '../../api/label-value.ts';
import type { ObjectMeta } from '../../api/meta.ts';
import { importLabels, type ImportSubject } from '../labels.ts';

/** Tells Forklift's clients whether a conversion has put drivers into the guest. */
const convertedLabel = 'guestConverted';

export function buildMetadata(subject: ImportSubject, name: string): ObjectMeta {
  const { spec } = subject;
  const { model, strategy, target } = spec;
  return {
    name,
    namespace: target.namespace,
    labels: { ...importLabels(subject), [convertedLabel]: String(strategy.conversion !== 'none') },
    ...(name !== model.name && {
      annotations: {
        [displayNameAnnotation]: model.name,
        [originalNameAnnotation]: model.name,
        [originalIdAnnotation]: model.id,
      },
    }),
  };
}

/**
 * What the running VM and its pod carry: the user's labels. Our own label stays off, since nothing of a running VM may ever be taken for
 * something to clean up.
 */
export function buildTemplateMetadata(
  { spec }: ImportSubject,
  name: string,
): { readonly labels: Readonly<Record<string, string>> } {
  const app = name.slice(0, longestLabelValue).replace(/[^a-z0-9]+$/, '');
  return { labels: { app, ...spec.placement.labels } };
}
