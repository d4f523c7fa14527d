import type { ConditionCategory, ConditionDraft } from '../api/conditions.ts';

const order: readonly ConditionCategory[] = ['Critical', 'Error', 'Warn', 'Required', 'Advisory'];

/** Clients know one condition of each type: several become one, which is as bad as the worst of them and says what all say. */
export function oneOfEach(drafts: readonly ConditionDraft[]): readonly ConditionDraft[] {
  const byType = new Map<string, ConditionDraft>();
  for (const draft of drafts) {
    const other = byType.get(draft.type);
    byType.set(draft.type, other === undefined ? draft : merged(other, draft));
  }
  return [...byType.values()];
}

function merged(a: ConditionDraft, b: ConditionDraft): ConditionDraft {
  const [worse, other] = order.indexOf(b.category) < order.indexOf(a.category) ? [b, a] : [a, b];
  const items = [...new Set([...(worse.items ?? []), ...(other.items ?? [])])];
  const messages = [...new Set([worse.message, other.message].filter((text) => text !== undefined))];
  return { ...worse, message: messages.join(' '), ...(items.length > 0 && { items }) };
}
