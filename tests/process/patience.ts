/**
 * How long these tests wait for anything before they give up, in seconds. Nothing is measured by it: a machine that is busy is slow, and not
 * wrong, so it is far longer than anything takes.
 */
export const patienceSeconds = 180;

/** The same for a whole test, in milliseconds: for jest. */
export const testPatienceMs = 3 * patienceSeconds * 1000;
