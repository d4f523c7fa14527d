import { bool, dateTime, list, object, optional, text, type StaticOf } from '../model/schema.ts';
import type { Finding } from '../model/source-data.ts';

/**
 * Conditions in Forklift's shape (forklift-api.md 1.2), which is not metav1.Condition: a category says how bad it is, a condition that
 * does not hold is absent rather than False, and `durable` ones outlive the reconcile that wrote them.
 */
export const conditionCategories = ['Critical', 'Error', 'Warn', 'Required', 'Advisory'] as const;
export type ConditionCategory = (typeof conditionCategories)[number];

export const ConditionSchema = object({
  type: text(128),
  status: text(16, { description: '"True" or "False".' }),
  category: text(16, { description: 'Critical, Error, Warn, Required or Advisory.' }),
  reason: optional(text(128)),
  message: optional(text(1024)),
  suggestion: optional(text(1024)),
  durable: optional(bool()),
  items: optional(list(text(1024), 1000)),
  lastTransitionTime: dateTime(),
});
export type Condition = StaticOf<typeof ConditionSchema>;

/** A condition before it is known when it began. */
export type ConditionDraft = Omit<Condition, 'lastTransitionTime' | 'status' | 'category'> & {
  readonly status?: 'True' | 'False';
  readonly category: ConditionCategory;
};

const longestMessage = 1024;
const mostItems = 1000;

/** Keeps a text inside what the schema allows, so that one long message never makes a whole status write fail (review.md F79). */
export function bounded(message: string, max = longestMessage): string {
  return message.length <= max ? message : `${message.slice(0, max - 1)}…`;
}

/**
 * The conditions that hold now: `drafts`, plus the durable ones of `previous` that no draft replaces. A condition keeps its
 * lastTransitionTime unless something else about it has changed. Order: durable ones first seen first, then the drafts as given.
 *
 * @param now RFC 3339, for conditions that begin or change.
 */
export function mergeConditions(
  previous: readonly Condition[],
  drafts: readonly ConditionDraft[],
  now: string,
): Condition[] {
  const drafted = new Set(drafts.map((draft) => draft.type));
  const kept = previous.filter((condition) => condition.durable === true && !drafted.has(condition.type));
  const current = drafts.map((draft) =>
    settle(
      previous.find((condition) => condition.type === draft.type),
      draft,
      now,
    ),
  );
  return [...kept, ...current];
}

function settle(before: Condition | undefined, draft: ConditionDraft, now: string): Condition {
  const { message, items, status, ...rest } = draft;
  const condition: Condition = {
    ...rest,
    status: status ?? 'True',
    ...(message === undefined ? {} : { message: bounded(message) }),
    ...(items === undefined ? {} : { items: items.slice(0, mostItems).map((item) => bounded(item)) }),
    lastTransitionTime: now,
  };
  if (before === undefined) return condition;
  const unchanged =
    JSON.stringify(sorted(before)) ===
    JSON.stringify(sorted({ ...condition, lastTransitionTime: before.lastTransitionTime }));
  return unchanged ? before : condition;
}

function sorted(condition: Condition): [string, unknown][] {
  return Object.entries(condition).sort(([a], [b]) => a.localeCompare(b));
}

export function findCondition(
  conditions: readonly Condition[] | undefined,
  type: string,
): Condition | undefined {
  return conditions?.find((condition) => condition.type === type);
}

export function isTrue(conditions: readonly Condition[] | undefined, type: string): boolean {
  return findCondition(conditions, type)?.status === 'True';
}

/** Forklift's blocker: what keeps an object from being Ready. */
export function isBlocker(condition: Pick<Condition, 'category' | 'status'>): boolean {
  return condition.status === 'True' && (condition.category === 'Critical' || condition.category === 'Error');
}

export function fromFinding(finding: Finding): ConditionDraft {
  return {
    type: finding.code,
    category: finding.severity,
    message: finding.message,
    ...(finding.reason === undefined ? {} : { reason: finding.reason }),
    ...(finding.items === undefined ? {} : { items: finding.items }),
    ...(finding.suggestion === undefined ? {} : { suggestion: finding.suggestion }),
  };
}
