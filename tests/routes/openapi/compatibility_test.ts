import { assert, assertEquals } from "@std/assert";
import { VERSION } from "../../../config/version.ts";
import { openApiDocument } from "../../../routes/openapi/document.ts";
import { breakingChanges, type Document } from "./compatibility.ts";
import frozen from "./golden/openapi_v1.json" with { type: "json" };

const DOCUMENT = openApiDocument(VERSION);

const VERSION_1 = frozen as unknown as Document;
const CURRENT: Document = JSON.parse(JSON.stringify(DOCUMENT));

/** Breaking changes since version 1, each with its reason. */
const ALLOWED: [change: RegExp, reason: string][] = [
  [/: \d+\.type: values changed$/, "PUBLIC_URL may precede the path, and slugs may be added"],
  [/handoff\.reason: values changed$/, "desk_unavailable: the desk is not called while it hangs"],
  [/: 409: problem idempotency-under-way removed$/, "renamed to idempotency-in-progress"],
  [/\brunId: pattern changed$/, "run ids of other schedulers are accepted, too"],
  [/: parameter cursor: pattern changed$/, "every cursor that was ever returned matches it"],
];

Deno.test("a client written for version 1 still works, apart from the changes listed here", () => {
  const changes = breakingChanges(VERSION_1, CURRENT);
  const unlisted = changes.filter((change) => !ALLOWED.some(([allowed]) => allowed.test(change)));
  assertEquals(unlisted, []);
  for (const [allowed, reason] of ALLOWED) {
    assert(changes.some((change) => allowed.test(change)), `no longer a change: ${reason}`);
  }
});

const SUBMIT = "/v1/tenants/{tenantId}/support-requests";

/** Breaking changes, and the line that must report each. */
const BREAKS: [change: string, break_: (document: Document) => void][] = [
  [`GET ${SUBMIT}/latest: removed`, ({ paths }) => delete paths[`${SUBMIT}/latest`]],
  [`POST ${SUBMIT}: operationId changed`, ({ paths }) => {
    paths[SUBMIT]!.post!.operationId = "create";
  }],
  [`POST ${SUBMIT}: 201: removed`, ({ paths }) => delete paths[SUBMIT]!.post!.responses["201"]],
  [`POST ${SUBMIT}: 422: problem validation removed`, ({ paths }) => {
    const [media] = Object.values(paths[SUBMIT]!.post!.responses["422"]!.content!);
    delete media!.examples!.validation;
  }],
  [`POST ${SUBMIT}: 429: header Retry-After removed`, ({ paths }) => {
    delete paths[SUBMIT]!.post!.responses["429"]!.headers!["Retry-After"];
  }],
  [`POST ${SUBMIT}: parameter Idempotency-Key is now required`, ({ paths }) => {
    for (const one of paths[SUBMIT]!.post!.parameters!) one.required = true;
  }],
  [`POST ${SUBMIT}: parameter tenantId: pattern changed`, ({ paths }) => {
    for (const one of paths[SUBMIT]!.post!.parameters!) one.schema.pattern = "^a$";
  }],
  [
    `POST ${SUBMIT}: body.description: removed`,
    edit("Submission", ({ properties }) => {
      delete properties.description;
    }),
  ],
  [
    `POST ${SUBMIT}: body.severity: is now required`,
    edit("Submission", (schema) => {
      schema.required.push("severity");
    }),
  ],
  [
    `POST ${SUBMIT}: body.severity: values changed`,
    edit("Submission", ({ properties }) => {
      properties.severity.anyOf[0].enum = ["low"];
    }),
  ],
  [
    `POST ${SUBMIT}: body.summary: maxLength tightened`,
    edit("Submission", ({ properties }) => {
      properties.summary!.maxLength = 100;
    }),
  ],
  [
    `POST ${SUBMIT}: body.handoff: form link removed`,
    edit("HandoffChoice", (schema) => {
      schema.oneOf.pop();
    }),
  ],
  [
    `POST ${SUBMIT}: 201.createdAt: removed`,
    edit("SupportRequest", ({ properties }) => {
      delete properties.createdAt;
    }),
  ],
  [
    `POST ${SUBMIT}: 201.severity: is now optional`,
    edit("SupportRequest", (schema) => {
      schema.required = schema.required.filter((name) => name !== "severity");
    }),
  ],
  [
    `POST ${SUBMIT}: 201.severity: values changed`,
    edit("SupportRequest", ({ properties }) => {
      properties.severity!.enum = ["low", "normal", "high", "critical", "urgent"];
    }),
  ],
  [
    `POST ${SUBMIT}: 201.handoff: form queued added`,
    edit("Handoff", (schema) => {
      schema.oneOf.push({ properties: { status: { const: "queued" } } });
    }),
  ],
  [
    `POST ${SUBMIT}: 201.reference: form integer added`,
    edit("SupportRequest", ({ properties }) => {
      properties.reference = { type: "integer" };
    }),
  ],
];

interface Schema {
  // deno-lint-ignore no-explicit-any
  properties: Record<string, any>;
  required: string[];
  oneOf: unknown[];
}

function edit(name: string, change: (schema: Schema) => void) {
  return ({ components }: Document) =>
    change((components as { schemas: Record<string, Schema> }).schemas[name]!);
}

for (const [line, break_] of BREAKS) {
  Deno.test(`the comparison reports: ${line.replace(SUBMIT, "…")}`, () => {
    const broken = structuredClone(CURRENT);
    break_(broken);
    assert(breakingChanges(CURRENT, broken).includes(line));
  });
}

Deno.test("the comparison reports no additions", () => {
  const grown = structuredClone(CURRENT);
  grown.paths["/v2"] = grown.paths[SUBMIT]!;
  edit("Submission", ({ properties }) => {
    properties.summary.maxLength = 500;
    properties.phone = { type: "string" };
  })(grown);
  edit("HandoffChoice", ({ oneOf }) => {
    oneOf.push({ properties: { mode: { const: "later" } } });
  })(grown);
  edit("SupportRequest", ({ properties, required }) => {
    properties.updatedAt = { type: "string" };
    required.push("updatedAt");
  })(grown);
  assertEquals(breakingChanges(CURRENT, grown), []);
});
