import { z } from "zod";
import { SupportContext } from "../domain/model/context.ts";
import { FailureReason, failureSummary } from "../domain/model/failure.ts";
import { type FinalHandoff, StoredHandoff, Timestamp } from "../domain/model/handoff.ts";
import type { StoredRequest } from "../domain/ports/store.ts";
import { Severity } from "../domain/model/submission.ts";
import { SupportRequest } from "../domain/model/support_request.ts";

/** Where a request is: the tenant or run part, and its sort key last. */
const RecordKey = z.tuple([z.enum(["tenant", "run"]), z.string(), z.number().int()]);

export const IdempotencyRecord = z.object({
  recordKey: RecordKey,
  fingerprint: z.string(),
  /** Version 1 stored none. */
  fingerprintVersion: z.int().default(1),
  expiresAt: z.number(),
});
export type IdempotencyRecord = z.infer<typeof IdempotencyRecord>;

/** `holder` tells one lease from another until the same time. */
export const LeaseRecord = z.object({ until: z.number(), holder: z.string() });
export type LeaseRecord = z.infer<typeof LeaseRecord>;

/** The schema that this version writes. */
const SCHEMA = 1;

/**
 * What was valid when it was stored stays readable: limits belong to submissions and tokens, and
 * change. Versions that run side by side may have different ones.
 */
export const StoredContext = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tenant"), tenantId: z.string() }),
  z.object({ kind: z.literal("run"), tenantId: z.string(), runId: z.string() }),
]) satisfies z.ZodType<SupportContext>;
export const StoredActor = z.object({ id: z.string(), name: z.string().optional() });

/** What every schema has, and all that a reader of a newer one can be sure of. */
const NewerRequest = z.object({
  schema: z.int().min(SCHEMA),
  reference: SupportRequest.shape.reference,
  context: StoredContext,
  summary: z.string(),
  severity: z.unknown(),
  createdAt: Timestamp,
  createdBy: StoredActor,
  handoff: z.unknown(),
});

const NewerSchema = z.object({ schema: z.int().min(SCHEMA + 1) });

const StoredRequest = SupportRequest.extend(NewerRequest.shape);

/** The sort key in a request's key. */
export function sortKey(key: Deno.KvKey): number {
  return RecordKey.parse(key)[2];
}

/**
 * Returns what stands at a request's key, or null. Records are parsed on the way out: what does not
 * parse was written by something else, and is not served.
 *
 * @throws {z.ZodError}
 */
export function toStored(entry: Deno.KvEntryMaybe<unknown>): StoredRequest | null {
  if (entry.versionstamp === null) return null;
  const { key, value, versionstamp } = entry;
  return { ...parseRequest(value), ts: sortKey(key), versionstamp, record: value };
}

/** What this version understands of a record, and whether a newer version wrote it. */
function parseRequest(value: unknown): Pick<StoredRequest, "request" | "isNewer"> {
  const isNewerSchema = NewerSchema.safeParse(value).success;
  const parsed = (isNewerSchema ? NewerRequest : StoredRequest).parse(value);
  const severity = parseKnown(Severity, parsed.severity);
  const handoff = parseHandoff(parsed.handoff, parsed.reference, parsed.createdAt);
  return {
    request: {
      ...parsed,
      schema: SCHEMA,
      // What a newer version calls it is unknown here: the default.
      severity: severity ?? "normal",
      handoff: handoff.handoff,
    },
    isNewer: isNewerSchema || severity === null || handoff.isNewer,
  };
}

/** Null is a word that only a newer version knows. */
function parseKnown<Word extends string>(
  schema: z.ZodEnum<Record<Word, Word>>,
  value: unknown,
): Word | null {
  const known = schema.safeParse(value);
  if (known.success) return known.data;
  z.string().parse(value);
  return null;
}

const NewerFailure = z.object({
  status: z.literal("failed"),
  reason: z.string(),
  summary: z.string().max(200),
  ticketMayExist: z.boolean(),
  at: Timestamp,
});
const NewerStatus = z.object({ status: z.string() });
const STATUSES = StoredHandoff.options.map(({ shape }) => shape.status.value);

/**
 * Parses a handoff. One that only a newer version knows takes a form that is safe to act on: an
 * unknown failure keeps what it says about the ticket, and an unknown status reads as interrupted,
 * so that a person looks at the desk before submitting again.
 */
export function parseHandoff(
  value: unknown,
  reference: string,
  createdAt: string,
): { handoff: StoredHandoff; isNewer: boolean } {
  // Nearly every handoff is known: only another is looked at twice.
  const known = StoredHandoff.safeParse(value);
  if (known.success) return { handoff: known.data, isNewer: false };
  const failure = NewerFailure.safeParse(value).data;
  if (failure !== undefined && parseKnown(FailureReason, failure.reason) === null) {
    const reason = failure.ticketMayExist ? "desk_error" : "desk_unreachable";
    return { handoff: { ...failure, reason }, isNewer: true };
  }
  const status = NewerStatus.safeParse(value).data?.status;
  if (status !== undefined && !STATUSES.some((known) => known === status)) {
    const interrupted = { reason: "interrupted", ticketMayExist: true } as const;
    const summary = failureSummary(interrupted, "the desk", reference);
    return {
      handoff: { status: "failed", ...interrupted, summary, at: createdAt },
      isNewer: true,
    };
  }
  throw known.error;
}

/** What a pending handoff has that this version knows. */
const PENDING_FIELDS = new Set(["status", "since", "until"]);

/** Returns the record with its outcome, and with every field that this version does not know. */
export function finalizedRecord({ record }: StoredRequest, handoff: FinalHandoff): object {
  const pending = (record as SupportRequest).handoff;
  const unknown = Object.entries(pending).filter(([field]) => !PENDING_FIELDS.has(field));
  return { ...record as object, handoff: { ...Object.fromEntries(unknown), ...handoff } };
}
