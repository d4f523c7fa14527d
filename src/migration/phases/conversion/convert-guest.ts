import type { ConditionDraft } from '../../../api/conditions.ts';
import type { ConversionRecord } from '../../../api/virtual-machine-import.ts';
import { convertedDisks, isProvenUntouched, isUntouched, removal, withConversion } from '../../conversion.ts';
import { unmarked } from '../../dirty-disks.ts';
import type { ConversionPodFact, ConversionResult } from '../../facts.ts';
import { phase, type Act, type Context, type Decision } from '../../phase.ts';
import { conversionSlot } from '../../slot-requests.ts';
import { rfc3339, rfc3339Millis } from '../../time.ts';
import { podLost } from './pod-lost.ts';

/** What no event tells is looked at again after this. */
const lookAgainMs = 30_000;
/** A converter that listens and does not answer. */
const answerAgainMs = 5_000;
/** A converter that was asked to end and is still there is asked again. */
const finishAgainMs = 10_000;
/** Before the second try; each further one waits twice as long. */
const firstRetryMs = 10_000;
/** Pods whose program has begun: what fails twice in the same way is the guest, and its owner waits for the source. */
const mostRuns = 2;

/**
 * Watches the converter, saves what it found, and only then lets it end, since its answers go with it (review.md F42). A converter that
 * fails is tried again as long as none is known to have written; after that the disks are of no use and the source is put back.
 */
export const convertGuest = phase({
  name: 'ConvertGuest',
  step: 'ImageConversion',
  needs: ['conversionPod', 'conversionResult'],
  decide({ conversionPod: pod, conversionResult }, context) {
    const { conversion } = context.records;
    if (conversion === undefined) return { kind: 'advance', to: 'CreateGuestConversionPod' };
    if (conversion.completedAt !== undefined) return leave(conversion, context);
    if (isProvenUntouched(conversion)) return { kind: 'advance', to: 'CreateGuestConversionPod' };
    if (pod === undefined || pod.uid !== conversion.podUid) {
      // Who has answered has written all that there was to write.
      return conversion.answeredAt === undefined ? podLost(context) : finished(pod, context);
    }
    if (pod.phase === 'Succeeded') return finished(pod, context);
    if (hasEnded(pod)) return judge(pod, conversion, context);
    if (pod.deletingMs !== undefined) return untilEnded(pod, pod.deletingMs, context);
    if (conversion.answeredAt !== undefined) return finish(pod, conversion, context);
    if (conversionResult !== undefined) return keep(pod, conversionResult, context);
    return pod.startedMs === undefined ? pending(pod, context) : converting(pod, pod.startedMs, context);
  },
  refused: ({ text }, context) => ({
    kind: 'wait',
    reason: 'GuestConversion',
    for: `the conversion pod (${text})`,
    lookAt: context.now + lookAgainMs,
  }),
});

/** A pod that no node has gets no phase at its end: it is held by our finalizer alone. */
function hasEnded({ phase: podPhase, deletingMs, isScheduled }: ConversionPodFact): boolean {
  return podPhase === 'Failed' || (deletingMs !== undefined && !isScheduled);
}

// ---- on its way -----------------------------------------------------------------------------------------------------------------

function pending(pod: ConversionPodFact, context: Context): Decision {
  const { now, settings } = context;
  const said = pod.pendingText === undefined ? '' : ` (${pod.pendingText})`;
  const until = pod.createdMs + settings.conversionPendingSeconds * 1000;
  if (now < until) {
    return { kind: 'wait', reason: 'ConversionPending', for: `the conversion pod to run${said}`, until };
  }
  // It may begin at this very moment: how it ended is looked at once it has.
  const minutes = Math.round((now - pod.createdMs) / 60_000);
  const firstError =
    context.records.conversion?.firstError ??
    `the pod did not run within ${minutes} min${said}`.slice(0, 1024);
  return {
    kind: 'act',
    records: withConversion(context, { firstError }),
    actions: [{ do: 'deletePod', name: pod.name, uid: pod.uid }],
  };
}

function converting(pod: ConversionPodFact, startedMs: number, context: Context): Decision {
  const { now, settings, spec } = context;
  const slowAt = startedMs + settings.conversionSlowSeconds * 1000;
  // Not the minutes so far: each of them would be a write.
  const minutes = Math.round(settings.conversionSlowSeconds / 60);
  const slow: ConditionDraft = {
    type: 'SlowConversion',
    category: 'Warn',
    message: `The guest of VM ${spec.vm.name} has been converted for more than ${minutes} min; see the log of pod ${spec.target.namespace}/${pod.name}.`,
  };
  return {
    kind: 'wait',
    reason: 'GuestConversion',
    for: `the guest to be converted by pod ${pod.name}`,
    lookAt: now + (pod.isReady ? answerAgainMs : lookAgainMs),
    ...(now >= slowAt && { conditions: [slow] }),
  };
}

function untilEnded(pod: ConversionPodFact, deletingMs: number, context: Context): Decision {
  const until = deletingMs + context.settings.conversionPendingSeconds * 1000;
  if (context.now < until) {
    return {
      kind: 'wait',
      reason: 'ConversionPodEnd',
      for: `pod ${pod.name}, which was deleted, to end`,
      until,
    };
  }
  return {
    kind: 'fail',
    class: 'terminal',
    code: 'ConversionPodStuck',
    message: `Pod ${context.spec.target.namespace}/${pod.name} was deleted and does not end.`,
    hint: 'See the node that it is on, and start the plan again; the disks are then copied anew.',
  };
}

// ---- its answers ----------------------------------------------------------------------------------------------------------------

function keep(pod: ConversionPodFact, result: ConversionResult, context: Context): Decision {
  const { warnings, ...found } = result;
  const now = rfc3339(context.now);
  const record = {
    ...found,
    ...(warnings.length > 0 && { warnings: [...warnings] }),
    answeredAt: now,
    finishAskedAt: now,
  };
  return {
    kind: 'act',
    records: withConversion(context, record),
    events: warnings.map(({ reason, message }) => ({ type: 'Warning', reason, message })),
    actions: [{ do: 'finishConversion', name: pod.name }],
  };
}

/** Nothing is written any more: a server that will not end is not waited for. */
function finish(pod: ConversionPodFact, conversion: ConversionRecord, context: Context): Decision {
  const { now, settings } = context;
  const answeredMs = Date.parse(conversion.answeredAt ?? '');
  if (now >= answeredMs + settings.conversionPendingSeconds * 1000) {
    return { kind: 'act', actions: [{ do: 'deletePod', name: pod.name, uid: pod.uid }] };
  }
  const until = Date.parse(conversion.finishAskedAt ?? rfc3339(0)) + finishAgainMs;
  if (now < until) return { kind: 'wait', reason: 'ConversionEnd', for: 'the conversion pod to end', until };
  return {
    kind: 'act',
    records: withConversion(context, { finishAskedAt: rfc3339(now) }),
    actions: [{ do: 'finishConversion', name: pod.name }],
  };
}

// ---- its end --------------------------------------------------------------------------------------------------------------------

function finished(pod: ConversionPodFact | undefined, context: Context): Act {
  const { spec, status, now } = context;
  const isKept = spec.options.keepConversionPod && pod?.deletingMs === undefined;
  return {
    kind: 'act',
    records: withConversion(context, { completedAt: rfc3339Millis(now) }),
    disks: unmarked(status.disks ?? [], convertedDisks(context)),
    actions:
      pod === undefined
        ? []
        : isKept
          ? [{ do: 'releasePod', name: pod.name, uid: pod.uid, forget: true }]
          : removal(pod),
  };
}

function leave({ warnings = [] }: ConversionRecord, context: Context): Decision {
  const [first] = warnings;
  const others = warnings.length > 1 ? ` And ${warnings.length - 1} more.` : '';
  const condition: ConditionDraft | undefined = first && {
    type: 'ConversionHasWarnings',
    category: 'Warn',
    reason: first.reason,
    message: `${first.message}${others}`,
    items: warnings.map(({ reason, message }) => `${reason}: ${message}`),
    durable: true,
  };
  return {
    kind: 'advance',
    free: [conversionSlot(context.spec, context.settings).resource],
    ...(condition !== undefined && { conditions: [condition] }),
  };
}

function judge(pod: ConversionPodFact, conversion: ConversionRecord, context: Context): Decision {
  if (conversion.answeredAt !== undefined) return finished(pod, context);
  const { settings, status, spec, now } = context;
  const isClean = isUntouched(pod);
  const why = pod.lastWords ?? conversion.firstError ?? pod.pendingText ?? 'it said nothing';
  const disks = isClean ? unmarked(status.disks ?? [], convertedDisks(context)) : (status.disks ?? []);
  const record = isClean ? { untouchedPod: pod.uid } : {};
  const most =
    pod.startedMs === undefined ? settings.conversionTries : Math.min(mostRuns, settings.conversionTries);
  if (isClean && conversion.tries < most) {
    const retryMs = firstRetryMs * 2 ** (conversion.tries - 1);
    const message = `The guest of VM ${spec.vm.name} could not be converted, and nothing was written to its disks: ${why}`;
    return {
      kind: 'act',
      records: withConversion(context, {
        ...record,
        tries: conversion.tries + 1,
        retryAt: rfc3339(now + retryMs),
        firstError: conversion.firstError ?? why.slice(0, 1024),
      }),
      disks,
      events: [{ type: 'Warning', reason: 'ConversionTriedAgain', message }],
      actions: removal(pod),
    };
  }
  return {
    kind: 'fail',
    class: 'terminal',
    code: pod.startedMs === undefined ? 'ConversionNotStarted' : 'ConversionFailed',
    message:
      pod.startedMs === undefined
        ? `The pod that was to convert the guest of VM ${spec.vm.name} never ran: ${why}`
        : `The guest of VM ${spec.vm.name} could not be converted: ${why}`,
    hint:
      pod.startedMs === undefined
        ? 'Give it what it waits for (nodes with the KVM device, quota, an image that can be pulled), and start the plan again.'
        : 'See whether virt-v2v supports this guest, correct what it complains of, and start the plan again.',
    records: withConversion(context, record),
    disks,
  };
}
