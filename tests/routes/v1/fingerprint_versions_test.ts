/** Retries across versions: one version stored the request, another receives the retry. */
import { assertEquals } from "@std/assert";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { FINGERPRINT_VERSION } from "../../../domain/model/idempotency.ts";
import { isBlank } from "../../../domain/model/text.ts";
import { RUN, TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { anyText } from "../../support/text_arbitraries.ts";

const LINKING = {
  env: {
    SUPPORT_DESK_URL: "https://desk.example",
    SUPPORT_DESK_TOKEN: "token",
    SUPPORT_DESK_QUEUE: "Support",
  },
};

interface Body {
  summary: string;
  description?: string;
  severity?: string;
  contact?: { name?: string; email?: string };
  diagnostics?: Record<string, string>;
  handoff?: { mode: string; ticket?: string };
}

type Service = Awaited<ReturnType<typeof openService>>;

/** Returns what version 1 stored of a body: everything as sent, except the summary. */
function storedByVersion1(body: Body) {
  const { summary, description, severity = "normal", contact, diagnostics } = body;
  return JSON.parse(
    JSON.stringify({
      summary: summary.trim(),
      description,
      severity,
      contact: contact && { name: contact.name, email: contact.email },
      diagnostics,
    }),
  );
}

/** The fingerprint of version 1, frozen. */
function fingerprintOfVersion1(context: object, body: Body): string {
  const { diagnostics = {}, ...fields } = storedByVersion1(body);
  const { mode = "none", ticket } = body.handoff ?? {};
  const entries = Object.entries(diagnostics).sort(([a], [b]) => a < b ? -1 : 1);
  const text = JSON.stringify([context, { ...fields, handoff: { mode, ticket } }, entries]);
  return createHash("sha256").update(text).digest("hex");
}

async function send(service: Service, path: string, json: unknown, key = "k-1") {
  const response = await service.call(path, { json, headers: { "Idempotency-Key": key } });
  const isReplayed = response.headers.get("Idempotent-Replayed") === "true";
  return { status: response.status, isReplayed, body: await response.json() };
}

async function entryOf(service: Service, prefix: Deno.KvKey) {
  const [entry] = await Array.fromAsync(service.kv.list<Record<string, unknown>>({ prefix }));
  return entry!;
}

/** Replaces the stored records of `body` by those that version 1 would have stored. */
async function asVersion1(service: Service, path: string, body: Body) {
  const request = await entryOf(service, [path === TENANT ? "tenant" : "run"]);
  const { reference, context, createdAt, createdBy, handoff } = request.value;
  const others = { schema: 1, reference, context, createdAt, createdBy, handoff };
  await service.kv.set(request.key, { ...storedByVersion1(body), ...others });
  const key = await entryOf(service, ["idempotency"]);
  const { recordKey, expiresAt } = key.value;
  const fingerprint = fingerprintOfVersion1(context as object, body);
  await service.kv.set(key.key, { recordKey, fingerprint, expiresAt });
}

/** Changes the idempotency record and the request to what a newer version might have stored. */
async function asNewer(service: Service, fingerprint: object, request: object = {}) {
  const key = await entryOf(service, ["idempotency"]);
  await service.kv.set(key.key, { ...key.value, ...fingerprint });
  const stored = await entryOf(service, ["tenant"]);
  await service.kv.set(stored.key, { ...stored.value, ...request });
}

const FULL: Body = {
  summary: "The import stops: größer 😀",
  description: "Since Monday.\n  Nothing was changed.",
  severity: "high",
  contact: { name: "Ada", email: "ada@acme.example" },
  diagnostics: { trace: "E42", build: "4.2.0" },
  handoff: { mode: "none" },
};

Deno.test("version 1 recognizes the retry of a request that this version stored", async () => {
  for (const body of [FULL, { summary: "Help" }, { ...FULL, handoff: { mode: "create" } }]) {
    await using service = await openService();
    const { body: stored } = await send(service, RUN, body);
    const { value } = await entryOf(service, ["idempotency"]);
    assertEquals(value.fingerprint, fingerprintOfVersion1(stored.context, body));
    assertEquals(value.fingerprintVersion, FINGERPRINT_VERSION);
  }
});

/** Bodies that version 1 accepted, and this version cleans. */
const CLEANED: Record<string, Partial<Body>> = {
  "Windows line breaks": { description: "a\r\nb\r\n" },
  "an empty description": { description: "" },
  "a blank description": { description: " \n " },
  "an empty contact": { contact: {} },
  "a contact with blanks around": { contact: { name: " Ada ", email: "ada@acme.example" } },
  "an empty name": { contact: { name: "", email: "ada@acme.example" } },
  "no diagnostics": { diagnostics: {} },
  "an empty diagnostics value": { diagnostics: { a: "", b: "1" } },
  "diagnostics with blanks around their keys": { diagnostics: { " a": "1", "a": "2", "a ": "3" } },
  "byte order marks": { description: "\ufeffa", diagnostics: { "\ufeffa": "\ufeff1" } },
  "a linked ticket": { handoff: { mode: "link", ticket: "42" } },
  "a linked page with a blank before it": {
    description: "a\r\nb",
    handoff: { mode: "link", ticket: " https://desk.example/Ticket/Display.html?id=42" },
  },
  "a ticket to create": { description: "a\r\nb", handoff: { mode: "create" } },
};

for (const [what, change] of Object.entries(CLEANED)) {
  Deno.test(`a retry of a request that version 1 stored is replayed: ${what}`, async () => {
    const env = change.handoff?.mode === "link" ? LINKING : {};
    for (const path of [TENANT, RUN]) {
      await using service = await openService(env);
      const body = { ...FULL, ...change };
      const first = await send(service, path, body);
      assertEquals(first.status, 201);
      await asVersion1(service, path, body);
      assertEquals(await send(service, path, body), { ...first, isReplayed: true });
      for (
        const other of [
          { ...body, summary: "Another" },
          { ...body, severity: "low" },
          { ...body, description: "Another" },
          { ...body, contact: { name: "Grace" } },
          { ...body, diagnostics: { c: "1" } },
          { ...body, handoff: { mode: body.handoff?.mode === "none" ? "create" : "none" } },
        ]
      ) assertEquals((await send(service, path, other)).status, 422);
      assertEquals((await send(service, path === RUN ? TENANT : RUN, body)).status, 422);
    }
  });
}

Deno.test("a retry of any request that version 1 accepted is replayed after the upgrade", async () => {
  const word = anyText.filter((text) =>
    !/[\p{Cc}\p{Cs}\u2028\u2029]/u.test(text) && text.length < 60
  );
  const key = word.filter((text) => text !== "" && text !== "__proto__");
  const body = fc.record({
    // Version 1 also accepted an invisible summary. Now both it and its retry are 422.
    summary: word.filter((text) => !isBlank(text)),
    description: fc.array(word).map((lines) => lines.join("\r\n")),
    severity: fc.constantFrom("low", "normal"),
    contact: fc.record({ name: word, email: fc.constant("ada@acme.example") }, {
      requiredKeys: [],
    }),
    diagnostics: fc.dictionary(key, word, { maxKeys: 20 }),
    handoff: fc.constantFrom({ mode: "none" }, { mode: "create" }),
  }, { requiredKeys: ["summary"] });
  await fc.assert(
    fc.asyncProperty(body, async (body) => {
      await using service = await openService();
      const first = await send(service, TENANT, body);
      await asVersion1(service, TENANT, body);
      assertEquals(await send(service, TENANT, body), { ...first, isReplayed: true });
      const other = await send(service, TENANT, { ...body, summary: `${body.summary} x` });
      assertEquals(other.status, 422);
    }),
    { numRuns: 100 },
  );
});

for (
  const [how, fingerprint, request] of [
    ["other fields", { fingerprint: "f".repeat(64), fingerprintVersion: 3 }, { team: "blue" }],
    ["of another form", { fingerprint: "v9:abc", fingerprintVersion: 9 }, {}],
    ["its version in the text", { fingerprint: "3:abc", fingerprintVersion: undefined }, {}],
    ["a shorter summary", { fingerprint: "x", fingerprintVersion: 3 }, { summary: "The import…" }],
    ["other blanks", { fingerprint: "x", fingerprintVersion: 3 }, {
      summary: "The   import stops – größer",
      description: undefined,
      severity: "cosmic",
      schema: 2,
    }],
  ] as [string, object, object][]
) {
  Deno.test(`a retry of a request that a newer version stored is replayed: ${how}`, async () => {
    await using service = await openService();
    const { body: { reference } } = await send(service, TENANT, FULL);
    await asNewer(service, fingerprint, request);
    const retry = await send(service, TENANT, FULL);
    assertEquals([retry.status, retry.isReplayed], [201, true]);
    assertEquals(retry.body.reference, reference);
    assertEquals((await send(service, TENANT, { summary: "Another" })).status, 422);
    assertEquals((await send(service, RUN, FULL)).status, 422);
  });
}
