import { z } from "zod";
import { AuditEvent, Erasure } from "../../domain/model/audit.ts";
import { SupportContext } from "../../domain/model/context.ts";
import { Handoff, Ticket } from "../../domain/model/handoff.ts";
import { HandoffChoice, Submission } from "../../domain/model/submission.ts";
import { Actor } from "../../domain/model/support_request.ts";
import { AuditEvents, ContextSummary, SupportRequest } from "../v1/responses.ts";
import { formOf, withDiscriminators } from "./unions.ts";
import { exampleProblem } from "./problem_responses.ts";

/** `type` is no enum: PUBLIC_URL may precede it, and strict clients fail on a value added later. */
const Problem = z.object({
  type: z.string().meta({
    format: "uri-reference",
    description: "Ends in `/problems/{slug}`, and opens a page about the problem. Compare the " +
      "slug: where the service has a public URL, `type` starts with it. A reverse proxy's own " +
      "problems may have the type `about:blank`.",
  }),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().meta({ description: "What to do about it" }),
  requestId: z.string().meta({ description: "Quote it to whoever runs the service" }),
  errors: z.array(z.object({
    pointer: z.string().meta({ description: "A JSON Pointer as a URI fragment: #/contact/email" }),
    detail: z.string(),
  })).optional().meta({ description: "Of /problems/validation: each thing that is wrong" }),
}).meta({ examples: [exampleProblem("method-not-allowed")] });

const Health = z.object({
  status: z.enum(["live", "ready"]),
  version: z.string().optional().meta({ description: "The version of Deskhand; from /livez" }),
});

const REQUEST_SCHEMAS = {
  Submission,
  HandoffChoice,
  NoHandoff: formOf(HandoffChoice, "none"),
  CreateTicket: formOf(HandoffChoice, "create"),
  LinkTicket: formOf(HandoffChoice, "link"),
};
const RESPONSE_SCHEMAS = {
  SupportRequest: SupportRequest,
  ContextSummary: ContextSummary,
  AuditEvents: AuditEvents,
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
    "What a frontend sends. Unknown fields are rejected. Text is cleaned, and lengths are measured " +
    "afterwards, in characters: a one-line text has each run of line breaks, tabs and other control " +
    "characters replaced by one space; `description` and the values of `diagnostics` keep tabs and " +
    "line breaks (as `\\n`), lose terminal colors, and have U+FFFD for any other control character. " +
    '`null`, `""` and blank text mean that an optional field is absent. Diagnostics are never too ' +
    "long: a value has up to 4,000 characters, all together 10,000, a key 64, and what is over is " +
    "cut with an ellipsis; of more than 20 keys the first 19 by name are stored, and the key " +
    "`not stored` names the others. `severity` " +
    "defaults to `normal`.",
  HandoffChoice: "What to do at the desk. Defaults to the mode `none`.",
  NoHandoff: "Stores the request without sending anything to the desk.",
  CreateTicket: "Creates a new ticket at the desk.",
  LinkTicket: "Links an existing ticket: its number, or its URL at the configured desk.",
  SupportRequest:
    "The record under its durable `reference`. Description, contact and diagnostics " +
    "are not returned.",
  ContextSummary: "The desk, what can be asked of it, and the latest support request of the " +
    "context. `desk` is null where none is configured.",
  AuditEvents:
    "One page. `nextCursor` is null on the last. The first page has `erasures`, newest " +
    "first, if records of the tenant were erased.",
  AuditEvent: "One change of one support request: who, when, and its handoff from then on.",
  Erasure: "What an operator has deleted at the request of the tenant or of a person in it, in " +
    "numbers. It names nobody.",
  Context: "Where the request was asked. The same run id under two tenants is two contexts.",
  TenantContext: "The tenant's own context.",
  RunContext: "The context of one operation run of the tenant.",
  Actor: "Who asks, from the verified token.",
  Handoff: "What became of the request at the desk, by `status`.",
  HandoffNone: "The request is stored; nothing was sent to the desk.",
  HandoffPending: "The call to the desk is in progress. Read the request again: the outcome is " +
    "recorded within seconds, or it is returned as `failed` with the reason `interrupted`.",
  HandoffCreated: "A ticket was created at the desk.",
  HandoffLinked: "The ticket that the submission named is linked.",
  HandoffFailed: "No ticket was created, or it is unknown whether one was. `summary` is one " +
    "sentence to show to the user. If `ticketMayExist`, search the desk for the reference before " +
    "submitting again.",
  Ticket: "The desk's own item. `url` is an address at the configured desk.",
  Problem: "Every refusal (RFC 9457). Any path answers 405 with /problems/method-not-allowed and " +
    "the header Allow to a method that it does not have.",
  Health: "`live` from /livez, `ready` from /readyz.",
};

/** A reference to a component schema. */
export function schemaRef(name: SchemaName) {
  return { $ref: `#/components/schemas/${name}` };
}

/** The component schemas, from the schemas that parse. */
export function componentSchemas(): Record<string, object> {
  return withDiscriminators({
    ...jsonSchemas(REQUEST_SCHEMAS, "input"),
    ...jsonSchemas(RESPONSE_SCHEMAS, "output"),
  });
}

function jsonSchemas(
  schemas: Partial<Record<SchemaName, z.ZodType>>,
  io: "input" | "output",
): Record<string, Record<string, unknown>> {
  const registry = z.registry<{ id: string }>();
  for (const [id, schema] of Object.entries(schemas)) registry.add(schema, { id });
  const generated = z.toJSONSchema(registry, {
    io,
    uri: (id) => `#/components/schemas/${id}`,
    override: ({ jsonSchema }) => {
      // A format says it better than the expression that checks it.
      if (jsonSchema.format !== undefined) delete jsonSchema.pattern;
      // Answers may gain fields; a submission with an unknown one is refused.
      if (io === "output") delete jsonSchema.additionalProperties;
      // Code generators drop a call whose schema has one. The description names the default instead.
      if (typeof jsonSchema.default === "object") delete jsonSchema.default;
    },
  });
  return Object.fromEntries(
    Object.entries(generated.schemas).map((
      [id, { $schema: _, $id: __, ...schema }],
    ) => [id, { description: DESCRIPTIONS[id as SchemaName], ...schema }]),
  );
}
