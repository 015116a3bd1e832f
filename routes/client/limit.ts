/** Limits one attempt: by its timeout, and by the caller's signal. */
export interface Limit {
  /** Aborts when the limit is reached. */
  signal: AbortSignal;
  /** Rejects when the limit is reached. */
  reached: Promise<never>;
  hasTimedOut(): boolean;
  /** Ends the limit, so that nothing refers to the caller's signal any more. */
  end(): void;
}

/** Starts a limit. Not `AbortSignal.any`, which browsers of before 2024 lack. */
export function startLimit(timeoutMs: number, signal: AbortSignal | undefined): Limit {
  const controller = new AbortController();
  let hasTimedOut = false;
  const reached = new Promise<never>((_, reject) => {
    controller.signal.addEventListener("abort", () => reject(controller.signal.reason));
  });
  // Nobody may be waiting for it when the limit is reached.
  reached.catch(() => {});
  const timer = setTimeout(() => {
    hasTimedOut = true;
    controller.abort();
  }, timeoutMs);
  const abort = () => controller.abort();
  if (signal?.aborted) abort();
  signal?.addEventListener("abort", abort);
  return {
    signal: controller.signal,
    reached,
    hasTimedOut: () => hasTimedOut,
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    },
  };
}
