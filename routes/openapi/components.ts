import * as z from "zod";
import { AuditEvent, Erasure } from "../../domain/model/audit.ts";
import { SupportContext } from "../../domain/model/context.ts";
import { Handoff, Ticket } from "../../domain/model/handoff.ts";
import { HandoffChoice, Submission } from "../../domain/model/submission.ts";
import { Actor } from "../../domain/model/support_request.ts";
import { AuditEvents, ContextSummary, SupportRequest } from "../v1/responses.ts";
import { formOf, withDiscriminators } from "./unions.ts";
import { exampleProblem } from "./problem_responses.ts";
import type { Reference, Schema } from "./types.ts";

/** `type` is no enum: `PUBLIC_URL` may precede it, and strict clients fail on values added later. */
const Problem = z.object({
  type: z.string().meta({
    format: "uri-reference",
    description:
      "Ends with `/problems/{slug}`, and is the URL of a page about the problem. Compare " +
      "only the slug: if the service has a public URL, `type` starts with it. Problems of a reverse " +
      "proxy may have the type `about:blank`.",
  }),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().meta({ description: "What to do about the problem" }),
  requestId: z.string().meta({
    description: "Include it when you report the problem to the operator",
  }),
  stored: z.enum(["no", "yes", "unknown"]).optional().meta({
    description:
      "Only in responses to a submission: whether its support request is stored. `no`: this call " +
      "stored nothing; `yes`: an earlier call with the same Idempotency-Key has stored it; " +
      "`unknown`: it may be stored, so send it again only with the same Idempotency-Key. Treat a " +
      "response without it, such as one of a reverse proxy, as `unknown`.",
  }),
  errors: z.array(z.object({
    pointer: z.string().meta({ description: "A JSON Pointer as a URI fragment: #/contact/email" }),
    detail: z.string(),
  })).optional().meta({ description: "Only for /problems/validation: one entry per error" }),
}).meta({ examples: [exampleProblem("method-not-allowed")] });

const Health = z.object({
  status: z.enum(["live", "ready"]),
  version: z.string().optional().meta({ description: "The version of Deskhand. Only from /livez" }),
});

const REQUEST_SCHEMAS = {
  Submission,
  HandoffChoice,
  NoHandoff: formOf(HandoffChoice, "none"),
  CreateTicket: formOf(HandoffChoice, "create"),
  LinkTicket: formOf(HandoffChoice, "link"),
};
const RESPONSE_SCHEMAS = {
  SupportRequest,
  ContextSummary,
  AuditEvents,
  AuditEvent,
  Erasure,
  Context: SupportContext,
  TenantContext: formOf(SupportContext, "tenant"),
  RunContext: formOf(SupportContext, "run"),
  Actor,
  Handoff,
  HandoffNone: formOf(Handoff, "none"),
  HandoffPending: formOf(Handoff, "pending"),
  HandoffCreated: formOf(Handoff, "created"),
  HandoffLinked: formOf(Handoff, "linked"),
  HandoffFailed: formOf(Handoff, "failed"),
  Ticket,
  Problem,
  Health,
};

export type SchemaName = keyof typeof REQUEST_SCHEMAS | keyof typeof RESPONSE_SCHEMAS;

const DESCRIPTIONS: Record<SchemaName, string> = {
  Submission:
    "The body of a submission. Unknown fields are rejected. `severity` defaults to `normal`. " +
    '`null`, `""` and blank text mean that an optional field is absent. Text is cleaned before its ' +
    "length is checked, in characters: in one-line fields, each run of line breaks, tabs and other " +
    "control characters becomes one space; in `description` and the values of `diagnostics`, tabs " +
    "remain, line breaks become `\\n`, terminal colors are removed and other control characters " +
    "become U+FFFD. Diagnostics are never rejected for their length: a key is truncated to 64 " +
    "characters, a value to 4,000, and all values together to 10,000, with an ellipsis. Of more " +
    "than 20 keys, the first 19 by name are stored, and the key `not stored` lists the others.",
  HandoffChoice: "What to do at the desk. The default is the mode `none`.",
  NoHandoff: "Stores the request without sending anything to the desk.",
  CreateTicket: "Creates a new ticket at the desk.",
  LinkTicket: "Links an existing ticket: its number, or its URL at the configured desk.",
  SupportRequest:
    "A stored support request, identified by its permanent `reference`. Its description, contact " +
    "and diagnostics are not returned.",
  ContextSummary: "The desk, the available handoff modes, and the latest support request of the " +
    "context. `desk` is null if none is configured.",
  AuditEvents:
    "One page of audit events. `nextCursor` is null on the last page. The first page has " +
    "`erasures`, newest first, if records of the tenant were erased.",
  AuditEvent: "One change to a support request: who made it, when, and the resulting handoff.",
  Erasure:
    "The numbers of records that an operator has deleted at the request of the tenant or of " +
    "a person. It contains no personal data.",
  Context:
    "What the request belongs to: a tenant, or one run of a tenant. The same run ID in two " +
    "tenants is two contexts.",
  TenantContext: "The context of a tenant.",
  RunContext: "The context of one run of a tenant.",
  Actor: "The authenticated user, from the verified token.",
  Handoff: "The state of the handoff to the desk, by `status`.",
  HandoffNone: "The request is stored; nothing was sent to the desk.",
  HandoffPending: "The call to the desk is in progress. Read the request again: the outcome is " +
    "recorded within seconds, or it is returned as `failed` with the reason `interrupted`.",
  HandoffCreated: "A ticket was created at the desk.",
  HandoffLinked: "The request is linked to the ticket that the submission specified.",
  HandoffFailed:
    "No ticket was created, or it is unknown whether one was. `summary` is a text to " +
    "show to the user. If `ticketMayExist` is true, search the desk for the reference before " +
    "submitting again.",
  Ticket: "A ticket at the configured desk. `reference` is its number.",
  Problem:
    "An error (RFC 9457). Unsupported methods get 405 with /problems/method-not-allowed and " +
    "the header `Allow`.",
  Health: "The status is `live` from /livez and `ready` from /readyz.",
};

/** Returns a reference to a component schema. */
export function schemaRef(name: SchemaName): Reference {
  return { $ref: `#/components/schemas/${name}` };
}

/** Returns the component schemas, generated from the zod schemas that validate requests. */
export function componentSchemas(): Record<string, Schema> {
  return withDiscriminators({
    ...jsonSchemas(REQUEST_SCHEMAS, "input"),
    ...jsonSchemas(RESPONSE_SCHEMAS, "output"),
  });
}

function jsonSchemas(
  schemas: Partial<Record<SchemaName, z.ZodType>>,
  io: "input" | "output",
): Record<string, Schema> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const generated = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // `format` is more useful to clients than zod's regular expression.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      // Responses may gain fields; a submission with unknown fields is rejected.
      if (io === "output") delete jsonSchema.additionalProperties;
      // Code generators drop operations with an object as default. The description names it instead.
      if (typeof jsonSchema.default === "object") delete jsonSchema.default;
    },
  });
  return Object.fromEntries(
    Object.entries(generated.schemas).map((
      [id, { $schema: _, $id: __, ...schema }],
    ) => [id, { description: DESCRIPTIONS[id as SchemaName], ...schema }]),
  );
}
