import * as z from "zod";
import { SupportContext } from "../domain/model/context.ts";
import { FailureReason, failureSummary } from "../domain/model/failure.ts";
import { type FinalHandoff, StoredHandoff, Timestamp } from "../domain/model/handoff.ts";
import type { StoredRequest } from "../domain/ports/store.ts";
import { Severity } from "../domain/model/submission.ts";
import { contextOf, isContextKind, RequestKey } from "./keys.ts";
import { SupportRequest } from "../domain/model/support_request.ts";
import { truncate } from "../domain/model/text.ts";

/** The schema version that this version of Deskhand writes. */
const SCHEMA = 1;

/**
 * Stored values have no length limits or patterns. Those belong to submissions and tokens and may
 * change, and versions that run side by side may have different ones; what was valid when it was
 * stored must remain readable.
 */
export const StoredContext = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tenant"), tenantId: z.string() }),
  z.object({ kind: z.literal("run"), tenantId: z.string(), runId: z.string() }),
]) satisfies z.ZodType<SupportContext>;
export const StoredActor = z.object({ id: z.string(), name: z.string().optional() });

/** The fields that every schema version has. A reader of a newer one can rely on nothing else. */
const NewerRequest = z.object({
  schema: z.int().min(SCHEMA),
  reference: SupportRequest.shape.reference,
  context: z.unknown(),
  summary: z.string(),
  severity: z.unknown(),
  createdAt: Timestamp,
  createdBy: StoredActor,
  handoff: z.unknown(),
});

const NewerSchema = z.object({ schema: z.int().min(SCHEMA + 1) });

const CurrentRequest = SupportRequest.extend(NewerRequest.shape);

const NewerContext = z.object({ kind: z.string() });

/**
 * Parses a context; null for one of a kind that only a newer version knows.
 *
 * @throws {z.ZodError}
 */
export function parseContext(value: unknown): SupportContext | null {
  const known = StoredContext.safeParse(value);
  if (known.success) return known.data;
  const kind = NewerContext.safeParse(value).data?.kind;
  if (kind !== undefined && !isContextKind(kind)) return null;
  throw known.error;
}

/** Returns the sort key in the key of a request. */
export function sortKey(key: Deno.KvKey): number {
  return RequestKey.parse(key)[2];
}

/**
 * Parses the entry at a request's key; null if there is none. Records are validated when they are
 * read: what does not parse was not written by Deskhand and must not be served.
 *
 * @throws {z.ZodError}
 */
export function toStored(entry: Deno.KvEntryMaybe<unknown>): StoredRequest | null {
  if (entry.versionstamp === null) return null;
  const { key, value, versionstamp } = entry;
  const requestKey = RequestKey.parse(key);
  return { ...parseRequest(value, requestKey), ts: requestKey[2], versionstamp, record: value };
}

/** Returns what this version understands of a record, and whether a newer version wrote it. */
function parseRequest(
  value: unknown,
  key: RequestKey,
): Pick<StoredRequest, "request" | "isNewer"> {
  const isNewerSchema = NewerSchema.safeParse(value).success;
  const parsed = (isNewerSchema ? NewerRequest : CurrentRequest).parse(value);
  const context = parseContext(parsed.context);
  const severity = parseKnown(Severity, parsed.severity, isNewerSchema);
  const { reference, createdAt } = parsed;
  const handoff = parseHandoff(parsed.handoff, reference, createdAt, isNewerSchema);
  return {
    request: {
      ...parsed,
      schema: SCHEMA,
      // It is found in this context, whatever else a newer version says about it.
      context: context ?? contextOf(key),
      // A severity that only a newer version knows reads as the default.
      severity: severity ?? "normal",
      handoff: handoff.handoff,
    },
    isNewer: isNewerSchema || context === null || severity === null || handoff.isNewer,
  };
}

/**
 * Parses a value of an enumeration; null for a string that only a newer version knows, and for any
 * other value of a newer schema.
 *
 * @throws {z.ZodError} if it is not a string
 */
function parseKnown<Word extends string>(
  schema: z.ZodEnum<Record<Word, Word>>,
  value: unknown,
  isNewerSchema = false,
): Word | null {
  const known = schema.safeParse(value);
  if (known.success) return known.data;
  if (!isNewerSchema) z.string().parse(value);
  return null;
}

const NewerFailure = z.object({
  status: z.literal("failed"),
  reason: z.string(),
  summary: z.string(),
  ticketMayExist: z.boolean(),
  at: Timestamp,
});
/** The longest failure sentence of this version, in characters. */
const MAX_FAILURE_LENGTH = 200;
const NewerStatus = z.object({ status: z.string() });
const STATUSES = StoredHandoff.options.map(({ shape }) => shape.status.value);

/**
 * Parses a handoff. One that only a newer version knows is mapped to a form that is safe to act on: an
 * unknown failure keeps whether a ticket may exist, a longer sentence about one is truncated, and an
 * unknown status, or any other form in a newer schema, reads as interrupted, so that a person checks
 * the desk before submitting again.
 *
 * @throws {z.ZodError} if it is neither known nor one that a newer version could have written
 */
export function parseHandoff(
  value: unknown,
  reference: string,
  createdAt: string,
  isNewerSchema = false,
): { handoff: StoredHandoff; isNewer: boolean } {
  // The common case first: nearly every handoff is known.
  const known = StoredHandoff.safeParse(value);
  if (known.success) return { handoff: known.data, isNewer: false };
  const failure = NewerFailure.safeParse(value).data;
  if (failure !== undefined) {
    const equivalent = failure.ticketMayExist ? "desk_error" : "desk_unreachable";
    const reason = parseKnown(FailureReason, failure.reason) ?? equivalent;
    const summary = truncate(failure.summary, MAX_FAILURE_LENGTH);
    return { handoff: { ...failure, reason, summary }, isNewer: true };
  }
  const status = NewerStatus.safeParse(value).data?.status;
  const isNewerStatus = status !== undefined && !STATUSES.some((known) => known === status);
  if (isNewerSchema || isNewerStatus) {
    const interrupted = { reason: "interrupted", ticketMayExist: true } as const;
    const summary = failureSummary(interrupted, "the desk", reference);
    return {
      handoff: { status: "failed", ...interrupted, summary, at: createdAt },
      isNewer: true,
    };
  }
  throw known.error;
}

/** The fields of a pending handoff that this version knows. */
const PENDING_FIELDS = new Set(["status", "since", "until"]);

/** Returns the record with its final handoff and with every field that this version does not know. */
export function finalizeRecord({ record }: StoredRequest, handoff: FinalHandoff): object {
  const pending = (record as SupportRequest).handoff;
  const unknown = Object.entries(pending).filter(([field]) => !PENDING_FIELDS.has(field));
  return { ...record as object, handoff: { ...Object.fromEntries(unknown), ...handoff } };
}
