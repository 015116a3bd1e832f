/** Whether the clocks of Deskhand and of the desk agree with this machine's. */

/**
 * Returns by how many seconds the clock of a server is ahead of this machine's (negative: behind),
 * from the header Date of a response that was requested at `sentAt` and arrived at `receivedAt`, in
 * milliseconds since the epoch. Returns null without a valid header. The header has no fraction of
 * a second, so that less than one second cannot be seen.
 */
export function clockSkew(headers: Headers, sentAt: number, receivedAt: number): number | null {
  const date = Date.parse(headers.get("Date") ?? "");
  if (Number.isNaN(date)) return null;
  if (date > receivedAt) return Math.round((date - receivedAt) / 1000);
  const latest = date + 1000;
  return latest < sentAt ? -Math.round((sentAt - latest) / 1000) : 0;
}

/** `95 s ahead of` or `95 s behind`. */
export function describeSkew(seconds: number): string {
  return `${Math.abs(seconds)} s ${seconds > 0 ? "ahead of" : "behind"}`;
}
