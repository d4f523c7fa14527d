import { object, optional, type StaticOf } from '../model/schema.ts';
import { int32, openList, openMap, openText } from './open-schema.ts';
import type { TSchema } from '../model/schema.ts';

/** core/v1 Affinity as Kubernetes 1.35 has it. Lists and selectors are atomic: an apply replaces them as a whole. */
const atomicMap = { 'x-kubernetes-map-type': 'atomic' };
const atomicList = <S extends TSchema>(items: S) => openList(items, { 'x-kubernetes-list-type': 'atomic' });

const RequirementSchema = object({
  key: openText(),
  operator: openText(),
  values: optional(atomicList(openText())),
});
const LabelSelectorSchema = object(
  { matchExpressions: optional(atomicList(RequirementSchema)), matchLabels: optional(openMap()) },
  atomicMap,
);
const NodeSelectorTermSchema = object(
  {
    matchExpressions: optional(atomicList(RequirementSchema)),
    matchFields: optional(atomicList(RequirementSchema)),
  },
  atomicMap,
);
const PodTermSchema = object({
  labelSelector: optional(LabelSelectorSchema),
  matchLabelKeys: optional(atomicList(openText())),
  mismatchLabelKeys: optional(atomicList(openText())),
  namespaceSelector: optional(LabelSelectorSchema),
  namespaces: optional(atomicList(openText())),
  topologyKey: openText(),
});
const PodAffinitySchema = object({
  preferredDuringSchedulingIgnoredDuringExecution: optional(
    atomicList(object({ podAffinityTerm: PodTermSchema, weight: int32() })),
  ),
  requiredDuringSchedulingIgnoredDuringExecution: optional(atomicList(PodTermSchema)),
});

export const affinity = (description: string) =>
  object(
    {
      nodeAffinity: optional(
        object({
          preferredDuringSchedulingIgnoredDuringExecution: optional(
            atomicList(object({ preference: NodeSelectorTermSchema, weight: int32() })),
          ),
          requiredDuringSchedulingIgnoredDuringExecution: optional(
            object({ nodeSelectorTerms: atomicList(NodeSelectorTermSchema) }, atomicMap),
          ),
        }),
      ),
      podAffinity: optional(PodAffinitySchema),
      podAntiAffinity: optional(PodAffinitySchema),
    },
    { ...atomicMap, description },
  );
export type Affinity = StaticOf<ReturnType<typeof affinity>>;
