/** Waits with a limit: a test that waits in vain fails with a sentence instead of hanging. */

/** Longer than anything that a test waits for, on a machine that is busy with other tests. */
const TIMEOUT_MS = 10_000;

export interface WaitOptions {
  timeoutMs?: number;
  /** Between two reads. */
  intervalMs?: number;
}

/**
 * Resolves with the first value of `read` that `isDone` accepts; by default the first that is
 * truthy. For what no event announces: reads again every few milliseconds.
 *
 * @throws if it takes longer than `timeoutMs`, naming what was expected and what was read last.
 */
export async function waitFor<T>(
  expected: string,
  read: () => T | Promise<T>,
  isDone: (value: T) => boolean = Boolean,
  { timeoutMs = TIMEOUT_MS, intervalMs = 20 }: WaitOptions = {},
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const remaining = Math.max(0, deadline - performance.now());
    const value = await within(expected, read(), remaining);
    if (isDone(value)) return value;
    if (performance.now() > deadline) {
      throw new Error(`Not within ${timeoutMs} ms: ${expected}. Last: ${JSON.stringify(value)}`);
    }
    await new Promise((resolve) => setTimeout(resolve, intervalMs));
  }
}

/**
 * Resolves or rejects as `promise` does.
 *
 * @throws if it takes longer than `timeoutMs`, naming what was expected.
 */
export async function within<T>(
  expected: string,
  promise: T | Promise<T>,
  timeoutMs = TIMEOUT_MS,
): Promise<T> {
  const { promise: timeout, reject } = Promise.withResolvers<never>();
  const error = new Error(`Not within ${Math.round(timeoutMs)} ms: ${expected}`);
  const timer = setTimeout(() => reject(error), timeoutMs);
  try {
    return await Promise.race([promise, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
