/**
 * Counts requests whose bodies may still be arriving, so that a shutdown can wait for them: Deno
 * aborts them when the server stops.
 */
export class PendingBodies {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Counts one body until the returned function is called, once or more. */
  add(): () => void {
    let isPending = true;
    this.#count++;
    return () => {
      if (!isPending) return;
      isPending = false;
      this.#count--;
      if (this.isEmpty()) { for (const resolve of this.#waiting.splice(0)) resolve(); }
    };
  }

  isEmpty(): boolean {
    return this.#count === 0;
  }

  /** Resolves the next time that no body is pending. Call it only if {@linkcode isEmpty} is false. */
  drained(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
