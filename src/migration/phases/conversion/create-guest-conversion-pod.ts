import { convertedDisks, isProvenUntouched, removal } from '../../conversion.ts';
import { marked, unmarked } from '../../dirty-disks.ts';
import { terminal } from '../../failures.ts';
import { firstLost } from '../../foreign-volume.ts';
import type { ConversionPodFact, Facts } from '../../facts.ts';
import { importersEnding } from '../../importers-ending.ts';
import { targetObjectsEntry } from '../../ledger.ts';
import { phase, slotPriorities, type Context, type Decision, type Refusal } from '../../phase.ts';
import { conversionSlot, missingSlots } from '../../slot-requests.ts';
import { rfc3339Millis } from '../../time.ts';
import { podLost } from './pod-lost.ts';

/** A pod that is being taken away is looked at again after this, should its watch tell nothing. */
const lookAgainMs = 10_000;

/**
 * Makes the pod that converts the guest on the copied disks. That a conversion begins is saved first, with every disk marked as changed:
 * whatever happens from there on, nothing is built from these disks again as if they were copies (review.md F42).
 */
export const createGuestConversionPod = phase({
  name: 'CreateGuestConversionPod',
  step: 'ImageConversion',
  needs: ['conversionPod', 'liveVolumes'],
  decide(facts, context) {
    const { conversionPod: pod } = facts;
    const { conversion } = context.records;
    if (pod !== undefined) {
      if (conversion === undefined) return unexpected(pod, context);
      if (pod.uid === conversion.untouchedPod) return replace(pod, context);
      return { kind: 'advance', records: { conversion: { ...conversion, podUid: pod.uid } } };
    }
    if (conversion?.podUid !== undefined && !isProvenUntouched(conversion)) return podLost(context);
    return tooEarly(context) ?? create(facts, context);
  },
  refused: refusedPod,
});

/** Nobody but us makes a pod with our label, and we save first. */
function unexpected({ name }: ConversionPodFact, { spec }: Context): Decision {
  return terminal(
    'ConversionPodForeign',
    `Pod ${spec.target.namespace}/${name} carries the label of this import, which has not made it.`,
    'Remove it and start the plan again.',
  );
}

function replace(pod: ConversionPodFact, context: Context): Decision {
  const actions = removal(pod);
  if (actions.length > 0) return { kind: 'act', actions };
  return {
    kind: 'wait',
    reason: 'ConversionPodEnd',
    for: 'the last conversion pod, which has written nothing, to be gone',
    lookAt: context.now + lookAgainMs,
  };
}

function tooEarly({ records, now }: Context): Decision | undefined {
  const { retryAt, firstError = '' } = records.conversion ?? {};
  const until = retryAt === undefined ? 0 : Date.parse(retryAt);
  if (now >= until) return undefined;
  return {
    kind: 'wait',
    reason: 'ConversionRetry',
    for: `another try to convert the guest (${firstError})`,
    until,
  };
}

function create({ liveVolumes }: Facts<'liveVolumes'>, context: Context): Decision {
  const { spec, settings, status, records, now } = context;
  if (spec.conversion === undefined) {
    return terminal('ConversionImageNotSet', 'It is not known by which image guests are to be converted.');
  }
  const early = firstLost(liveVolumes, context) ?? importersEnding(liveVolumes, context);
  if (early !== undefined) return early;
  const slots = missingSlots([conversionSlot(spec, settings)], context);
  if (slots.length > 0) {
    return { kind: 'acquire', slots, priority: slotPriorities.cutover, for: 'its turn to be converted' };
  }
  const startedDisks = convertedDisks(context);
  // Of the pod that comes now nothing is known, not even its uid.
  const { podUid: _podUid, ...before } = records.conversion ?? {
    startedAt: rfc3339Millis(now),
    startedDisks,
    tries: 1,
  };
  const importerPods = liveVolumes.flatMap(({ pod }) => (pod === undefined ? [] : [pod.uid]));
  return {
    kind: 'act',
    records: { conversion: { ...before, importerPods } },
    disks: marked(status.disks ?? [], startedDisks),
    ledger: [targetObjectsEntry(spec.target.namespace)],
    actions: [{ do: 'createConversionPod' }],
  };
}

/** There is no pod then, so nothing has been written. */
function refusedPod({ action, code, text }: Refusal, context: Context): Decision {
  const { spec, status, records } = context;
  const isFirst = records.conversion?.tries === 1;
  const clean = {
    disks: unmarked(status.disks ?? [], convertedDisks(context)),
    ...(isFirst && { forget: ['conversion'] as const }),
  };
  if (action.do === 'createConversionPod' && code === 'AlreadyExists') {
    return {
      ...terminal(
        'ConversionPodNameTaken',
        `An object of another owner has the name of the conversion pod or of its ConfigMap in namespace ${spec.target.namespace}: ${text}`,
        'Remove it and start the plan again. It was left untouched.',
      ),
      ...clean,
    };
  }
  return {
    kind: 'fail',
    class: 'retryable',
    code: 'ConversionPodRefused',
    message: `The target cluster refuses the pod that is to convert the guest: ${text}`,
    hint: 'Correct what it objects to (quota, pod security, service account) and start the plan again.',
    ...clean,
  };
}
