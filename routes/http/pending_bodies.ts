/** Requests whose body may still come: Deno breaks it off when the server is shut down. */
export class PendingBodies {
  #count = 0;
  #waiting: (() => void)[] = [];

  /** Counts a body, until the function that is returned is called. */
  expect(): () => void {
    let isExpected = true;
    this.#count++;
    return () => {
      if (!isExpected) return;
      isExpected = false;
      this.#count--;
      if (this.areRead()) { for (const resolve of this.#waiting.splice(0)) resolve(); }
    };
  }

  areRead(): boolean {
    return this.#count === 0;
  }

  /** Resolves as soon as no body is expected. */
  read(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
