import { z } from "zod";
import { SupportRequest } from "../domain/support_request.ts";
import type { Stored } from "../domain/ports.ts";

/** Where a request is: the tenant or run part, and its sort key last. */
const RecordKey = z.tuple([z.enum(["tenant", "run"]), z.string(), z.number().int()]);

export const IdempotencyRecord = z.object({
  recordKey: RecordKey,
  fingerprint: z.string(),
  expiresAt: z.number(),
});
export type IdempotencyRecord = z.infer<typeof IdempotencyRecord>;

/** `holder` tells one lease from another until the same time. */
export const LeaseRecord = z.object({ until: z.number(), holder: z.string() });
export type LeaseRecord = z.infer<typeof LeaseRecord>;

/** The sort key in a request's key. */
export function sortKey(key: Deno.KvKey): number {
  return RecordKey.parse(key)[2];
}

/**
 * What stands at a request's key, or null. Records are parsed on the way out: what does not parse
 * was written by something else, and is not to be served.
 */
export function toStored(entry: Deno.KvEntryMaybe<unknown>): Stored | null {
  if (entry.versionstamp === null) return null;
  const { key, value, versionstamp } = entry;
  return { request: SupportRequest.parse(value), ts: sortKey(key), versionstamp };
}
