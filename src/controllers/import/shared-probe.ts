import type { Clock } from '../../runtime/clock.ts';

/** A good answer holds for so long, milliseconds: as long as it takes two hundred imports that begin together to have asked. */
const holdsMs = 30_000;

/** A question to the cluster that many imports have at the same time and that has the same answer for all of them. */
export class SharedProbe {
  readonly #clock: Clock;
  readonly #answers = new Map<string, { readonly untilMs: number; readonly answer: Promise<void> }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Asks, unless somebody has asked about `subject` and got no error, or waits for his answer. Throws what `question` throws. */
  async ask(subject: string, question: () => Promise<void>): Promise<void> {
    const now = this.#clock.monotonicMs();
    const known = this.#answers.get(subject);
    if (known !== undefined && now < known.untilMs) return known.answer;
    const asked = { untilMs: now + holdsMs, answer: question() };
    this.#answers.set(subject, asked);
    try {
      await asked.answer;
    } catch (error) {
      if (this.#answers.get(subject) === asked) this.#answers.delete(subject);
      throw error;
    }
  }
}
