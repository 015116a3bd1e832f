import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET } from "../support/constants.ts";
import { openService } from "../support/service.ts";
import { readProblem } from "./assert_problem.ts";

/** Any text: short or long, of any script, with control characters and unpaired surrogates. */
const text = fc.oneof(
  fc.string(),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: fc.constantFrom("\0", "\n", "\u2028", "\ud800", "\u202e", "é", "😀", "%") }),
  fc.constantFrom("__proto__", "constructor", "toString", "\ufeff", "a".repeat(9000)),
);

/** Mostly a valid value, sometimes anything. */
function mostly<T>(right: fc.Arbitrary<T>, ...wrong: fc.Arbitrary<unknown>[]) {
  return fc.oneof({ weight: 30, arbitrary: right }, text, fc.jsonValue(), ...wrong);
}

const nearSubmission = fc.record({
  summary: mostly(fc.constant("Help")),
  description: mostly(fc.constant("Two\nlines")),
  severity: mostly(fc.constantFrom("low", "critical")),
  contact: mostly(
    fc.record({ name: mostly(fc.constant("Ada")), email: mostly(fc.emailAddress()) }),
  ),
  diagnostics: mostly(
    fc.dictionary(mostly(fc.constant("key")).map(String), mostly(fc.constant("value"))),
  ),
  handoff: mostly(
    fc.record({
      mode: mostly(fc.constantFrom("none", "create", "link")),
      ticket: mostly(fc.constant("42"), fc.webUrl()),
    }, { requiredKeys: ["mode"] }),
  ),
  unknown: mostly(fc.constant(undefined)),
}, { requiredKeys: ["summary"] });

const body = fc.oneof(
  { weight: 6, arbitrary: nearSubmission.map((value) => JSON.stringify(value)) },
  fc.json(),
  text,
  fc.uint8Array({ maxLength: 200 }).map((bytes) => new Uint8Array(bytes)),
);

const segment = fc.oneof(
  fc.constantFrom("acme", "theirs", "r-1", "..", "%2e%2e", "%00", "%zz", "%2F", "", "%F0%9F"),
  text.map((text) => encodeURIComponent(text.toWellFormed())),
);
const path = fc.oneof(
  { weight: 6, arbitrary: fc.constant("/v1/tenants/acme/support-requests") },
  fc.tuple(segment).map(([tenant]) => `/v1/tenants/${tenant}/support-requests`),
  fc.tuple(fc.constant("acme"), segment).map(([tenant, run]) =>
    `/v1/tenants/${tenant}/runs/${run}/support-requests`
  ),
  fc.constantFrom(
    "/v1/tenants/acme/support-requests/latest",
    "/v1/tenants/acme/audit-events",
  ),
  fc.array(segment, { maxLength: 6 }).map((segments) => `/${segments.join("/")}`),
);
const query = fc.oneof(
  fc.constant(""),
  fc.tuple(fc.constantFrom("limit", "cursor", "x"), text).map(([name, value]) =>
    `?${name}=${encodeURIComponent(value.toWellFormed())}`
  ),
  fc.webQueryParameters().map((query) => `?${query}`),
);

/** Any characters that a header may contain. */
const headerValue = fc.string({
  unit: fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f)
    .map((code) => String.fromCharCode(code)),
  maxLength: 300,
});
const header = (...right: string[]) =>
  fc.oneof({ weight: 16, arbitrary: fc.constantFrom(...right) }, headerValue);

const headers = fc.record({
  "Content-Type": header("application/json"),
  "Content-Length": header("1", "49152"),
  "Content-Encoding": header("identity"),
  "Idempotency-Key": header("k-1", "k-2"),
  "If-None-Match": headerValue,
  "Origin": header("https://app.example", "https://evil.example"),
  "X-Request-Id": headerValue,
}, { requiredKeys: ["Content-Type"] });

Deno.test("no input causes a 5xx, and every rejection says what is wrong", async () => {
  await using service = await openService({ env: { CORS_ORIGINS: "https://app.example" } });
  const good = await mintToken(AUTH_SECRET);
  const authorization = fc.oneof(
    { weight: 6, arbitrary: fc.constant(`Bearer ${good}`) },
    fc.constantFrom(good.slice(1), `Bearer ${good}x`, "Bearer a.b.c"),
    headerValue,
  );
  const request = fc.record({
    method: fc.oneof(
      { weight: 8, arbitrary: fc.constant("POST") },
      fc.constantFrom("GET", "HEAD", "PUT", "OPTIONS", "X"),
    ),
    path,
    query,
    headers,
    authorization,
    body,
  });
  await fc.assert(
    fc.asyncProperty(request, async ({ method, path, query, headers, authorization, body }) => {
      const response = await service.app.request(`http://localhost${path}${query}`, {
        method,
        headers: { ...headers, Authorization: authorization },
        ...!["GET", "HEAD"].includes(method) && { body },
      });
      assert(response.status < 500, `${response.status}`);
      if (response.status < 400 || method === "HEAD") return void await response.body?.cancel();
      const problem = await readProblem(response);
      const isNamed = (problem.errors?.length ?? 0) > 0;
      assertEquals(problem.type === "/problems/validation", isNamed);
    }),
    { numRuns: 800 },
  );
  assertEquals(service.lines.filter(({ level }) => level === "error"), []);
});

const character = fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 })
  .filter((text) => !/[\p{Cc}\u2028\u2029]/u.test(text));

/** One line of up to `max` characters: any Unicode except control characters. */
function line(max: number, min = 0): fc.Arbitrary<string> {
  return fc.string({ unit: character, minLength: min, maxLength: max })
    .filter((text) => [...text].length <= max && text.trim().length >= min);
}

const isKey = (text: string) => text !== "__proto__";

const submission = fc.record({
  summary: line(200, 1),
  description: fc.array(line(200), { maxLength: 20 }).map((lines) => lines.join("\n")),
  severity: fc.constantFrom("low", "normal", "high", "critical"),
  contact: fc.record({
    name: line(120),
    email: fc.constantFrom("ada@example.com", "a.b+c@sub.example.org"),
  }, { requiredKeys: [] }),
  diagnostics: fc.dictionary(line(64, 1).filter(isKey), line(500), { maxKeys: 20 }),
  handoff: fc.oneof(fc.constant({ mode: "none" }), fc.constant({ mode: "create" })),
}, { requiredKeys: ["summary"] });

const id = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$/);

Deno.test("every valid submission is 201, and is the latest request of its context", async () => {
  await using service = await openService();
  await fc.assert(
    fc.asyncProperty(
      submission,
      id,
      fc.option(id, { nil: undefined }),
      async (json, tenantId, runId) => {
        const run = runId === undefined ? "" : `/runs/${encodeURIComponent(runId)}`;
        const path = `/v1/tenants/${encodeURIComponent(tenantId)}${run}/support-requests`;
        const token = { tenants: [tenantId] };
        const response = await service.call(path, { token, json });
        assertEquals(response.status, 201);
        const request = await response.json();
        assertEquals(request.summary, json.summary.trim());
        assertEquals(request.severity, json.severity ?? "normal");
        assertEquals(
          request.context,
          runId === undefined ? { kind: "tenant", tenantId } : { kind: "run", tenantId, runId },
        );
        const latest = await (await service.call(`${path}/latest`, { token })).json();
        assertEquals(latest.supportRequest, request);
      },
    ),
    { numRuns: 200 },
  );
});
