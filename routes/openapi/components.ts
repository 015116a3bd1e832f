import { z } from "zod";
import { AuditEvent } from "../../domain/audit.ts";
import { Context } from "../../domain/context.ts";
import { Handoff, Ticket } from "../../domain/handoff.ts";
import { Submission } from "../../domain/submission.ts";
import { Actor } from "../../domain/support_request.ts";
import { AuditEventsAnswer, ContextSummaryAnswer, SupportRequestAnswer } from "../answers.ts";
import { PROBLEMS } from "../problems.ts";
import { exampleProblem } from "./problem_responses.ts";

const Problem = z.object({
  type: z.enum(Object.keys(PROBLEMS).map((slug) => `/problems/${slug}`)),
  title: z.string(),
  status: z.int().min(400).max(599),
  detail: z.string().meta({ description: "What to do about it" }),
  requestId: z.string().meta({ description: "Quote it to whoever runs the service" }),
  errors: z.array(z.object({
    pointer: z.string().meta({ description: "A JSON Pointer as a URI fragment: #/contact/email" }),
    detail: z.string(),
  })).optional().meta({ description: "Of /problems/validation: each thing that is wrong" }),
}).meta({ examples: [exampleProblem("method-not-allowed")] });

const Health = z.object({ status: z.enum(["live", "ready"]) });

const SENT = { Submission };
const ANSWERED = {
  SupportRequest: SupportRequestAnswer,
  ContextSummary: ContextSummaryAnswer,
  AuditEvents: AuditEventsAnswer,
  AuditEvent,
  Context,
  Actor,
  Handoff,
  Ticket,
  Problem,
  Health,
};

export type SchemaName = keyof typeof SENT | keyof typeof ANSWERED;

const DESCRIPTIONS: Record<SchemaName, string> = {
  Submission:
    "What a frontend sends. Unknown fields are refused. All text is well-formed Unicode " +
    "without control characters, but for line breaks in `description`.",
  SupportRequest:
    "The record under its durable `reference`. Description, contact and diagnostics " +
    "are not returned.",
  ContextSummary: "The desk, what can be asked of it, and the latest support request of the " +
    "context. `desk` is null where none is configured.",
  AuditEvents: "One page. `nextCursor` is null on the last.",
  AuditEvent: "One change of one support request: who, when, and its handoff from then on.",
  Context: "Where the request was asked. The same run id under two tenants is two contexts.",
  Actor: "Who asks, from the verified token.",
  Handoff: "What became of the request at the desk. `none`: kept here, nothing was sent. " +
    "`pending`: the desk is being asked. Read it again: it is settled within seconds, or reads as " +
    "`failed` with the reason `interrupted`. `created`, `linked`: the ticket exists. `failed`: why, " +
    "in one sentence that can be shown; where `ticketMayExist`, look for the reference at the desk " +
    "before asking again.",
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
export function componentSchemas() {
  return { ...jsonSchemas(SENT, "input"), ...jsonSchemas(ANSWERED, "output") };
}

function jsonSchemas(
  schemas: Partial<Record<SchemaName, z.ZodType>>,
  io: "input" | "output",
): Record<string, object> {
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
    },
  });
  return Object.fromEntries(
    Object.entries(generated.schemas).map((
      [id, { $schema: _, $id: __, ...schema }],
    ) => [id, { description: DESCRIPTIONS[id as SchemaName], ...schema }]),
  );
}
