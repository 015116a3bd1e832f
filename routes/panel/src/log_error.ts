/** Writes to the console what went wrong, for the page's developers. */
export function logError(problem: unknown): void {
  console.error("support-request-panel:", problem);
}
