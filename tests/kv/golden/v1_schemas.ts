/**
 * The schemas with which version 1 parsed its records, as they were (`domain/` and `kv/records.ts`),
 * in one file and frozen: a process of version 1 parses with them what this version writes while
 * both run side by side.
 */
import * as z from "zod";

const CONTROL = /[\p{Cc}\u2028\u2029]/u;

function line(max: number) {
  return z.string().refine((text) =>
    [...text].length <= max && text.isWellFormed() && !CONTROL.test(text)
  );
}

const ID = /^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/;
const Reference = z.string().regex(/^SR-[0-7][0-9A-HJKMNP-TV-Z]{25}$/);
const Timestamp = z.iso.datetime({ precision: 3 });
const Ticket = z.object({ reference: z.string().regex(/^[1-9][0-9]{0,14}$/), url: z.url() });
const Actor = z.object({ id: line(255).min(1), name: line(120).optional() });

const Context = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("tenant"), tenantId: z.string().regex(ID) }),
  z.object({ kind: z.literal("run"), tenantId: z.string().regex(ID), runId: z.string().regex(ID) }),
]);

const Handoff = z.discriminatedUnion("status", [
  z.object({ status: z.literal("none") }),
  z.object({ status: z.literal("pending"), since: Timestamp }),
  z.object({ status: z.literal("created"), ticket: Ticket, at: Timestamp }),
  z.object({ status: z.literal("linked"), ticket: Ticket, at: Timestamp }),
  z.object({
    status: z.literal("failed"),
    reason: z.enum([
      "desk_not_configured",
      "desk_unreachable",
      "desk_timeout",
      "desk_connection_lost",
      "desk_refused_credentials",
      "desk_rejected",
      "desk_rate_limited",
      "desk_error",
      "desk_unreadable",
      "interrupted",
    ]),
    summary: z.string().max(200),
    ticketMayExist: z.boolean(),
    at: Timestamp,
  }),
]);

export const SupportRequestV1 = z.object({
  schema: z.literal(1),
  reference: Reference,
  context: Context,
  summary: z.string(),
  description: z.string().optional(),
  severity: z.enum(["low", "normal", "high", "critical"]),
  contact: z.strictObject({ name: line(120).optional(), email: z.email().max(254).optional() })
    .optional(),
  diagnostics: z.record(line(64).min(1), line(500))
    .refine((diagnostics) => Object.keys(diagnostics).length <= 20).optional(),
  createdAt: Timestamp,
  createdBy: Actor,
  handoff: Handoff,
});

export const AuditEventV1 = z.object({
  event: z.enum(["request.submitted", "handoff.created", "handoff.failed", "handoff.superseded"]),
  at: Timestamp,
  reference: Reference,
  context: Context,
  actor: Actor,
  handoff: Handoff,
});

export const IdempotencyRecordV1 = z.object({
  recordKey: z.tuple([z.enum(["tenant", "run"]), z.string(), z.number().int()]),
  fingerprint: z.string(),
  expiresAt: z.number(),
});

export const LeaseRecordV1 = z.object({ until: z.number(), holder: z.string() });
