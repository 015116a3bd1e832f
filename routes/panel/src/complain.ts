/** Tells the page's developers what went wrong. */
export function complain(problem: unknown): void {
  console.error("support-request-panel:", problem);
}
