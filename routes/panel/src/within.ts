/** Why {@linkcode within} rejects. */
export const TIMEOUT = "Timeout";

/** Returns what the work results in. Rejects with {@linkcode TIMEOUT} if that takes too long. */
export function within<T>(ms: number, work: T | Promise<T>): Promise<T> {
  return Promise.race([
    work,
    delay(ms).then(() => {
      throw TIMEOUT;
    }),
  ]);
}

export function delay(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
