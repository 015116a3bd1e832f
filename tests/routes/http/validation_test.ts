import { assertEquals, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import type * as z from "zod";
import { Submission } from "../../../domain/model/submission.ts";
import { TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { anyText } from "../../support/text_arbitraries.ts";
import { parse, pointer } from "../../../routes/http/validation.ts";
import { assertProblem } from "../assert_problem.ts";

const MODES = "must be one of none, create, link";

/** Returns the validation errors of a body, each as `pointer: detail`. */
const REJECTED: [name: string, body: unknown, errors: string[]][] = [
  ["null", null, ["#: must be an object"]],
  ["a list", [], ["#: must be an object"]],
  ["a string", "Help", ["#: must be an object"]],
  ["no fields", {}, ["#/summary: is required"]],
  ["no summary", { description: "x" }, ["#/summary: is required"]],
  ["a blank summary", { summary: " \n " }, ["#/summary: must not be empty"]],
  ["a summary of 201", { summary: "é".repeat(201) }, ["#/summary: must be at most 200 characters"]],
  ["a summary of controls", { summary: "\0\u2028\ud800" }, ["#/summary: must not be empty"]],
  ["null for the summary", { summary: null }, ["#/summary: must be a string"]],
  ["a number for text", { summary: 7 }, ["#/summary: must be a string"]],
  ["a list for text", { summary: ["a"] }, ["#/summary: must be a string"]],
  [
    "a description of 8001",
    { summary: "a", description: "x".repeat(8001) },
    ["#/description: must be at most 8000 characters"],
  ],
  [
    "another severity",
    { summary: "a", severity: "urgent" },
    ["#/severity: must be one of low, normal, high, critical"],
  ],
  ["a contact that is text", { summary: "a", contact: "Ada" }, ["#/contact: must be an object"]],
  [
    "a contact with everything wrong",
    { summary: "a", contact: { name: "x".repeat(121), email: "ada", phone: "1" } },
    [
      "#/contact/name: must be at most 120 characters",
      "#/contact/email: must be an email address such as ada@example.com",
      "#/contact/phone: is not a known field",
    ],
  ],
  ["diagnostics that are a list", { summary: "a", diagnostics: [] }, [
    "#/diagnostics: must be an object",
  ]],
  [
    "diagnostics that cannot be understood",
    { summary: "a", diagnostics: { "a/b~c é": {}, "\ud800": ["x"], "k": "fine" } },
    [
      "#/diagnostics/a~1b~0c%20%C3%A9: must be a string, a number or a boolean",
      "#/diagnostics/%EF%BF%BD: must be a string, a number or a boolean",
    ],
  ],
  ["a handoff that is text", { summary: "a", handoff: "none" }, ["#/handoff: must be an object"]],
  ["no mode", { summary: "a", handoff: {} }, [`#/handoff/mode: ${MODES}`]],
  ["another mode", { summary: "a", handoff: { mode: "email" } }, [`#/handoff/mode: ${MODES}`]],
  ["a mode of null", { summary: "a", handoff: { mode: null } }, [`#/handoff/mode: ${MODES}`]],
  ["no ticket", { summary: "a", handoff: { mode: "link" } }, ["#/handoff/ticket: is required"]],
  ["a ticket that is a number", { summary: "a", handoff: { mode: "link", ticket: 42 } }, [
    "#/handoff/ticket: must be a string",
  ]],
  ["a ticket where none is due", { summary: "a", handoff: { mode: "create", ticket: "42" } }, [
    "#/handoff/ticket: is not a known field",
  ]],
  ["unknown fields", { summary: "a", sumary: "b", tenantId: "theirs", "a/b": 1 }, [
    "#/sumary: is not a known field",
    "#/tenantId: is not a known field",
    "#/a~1b: is not a known field",
  ]],
  ["keys of every object", { summary: "a", constructor: {}, prototype: {}, toString: 1 }, [
    "#/constructor: is not a known field",
    "#/prototype: is not a known field",
    "#/toString: is not a known field",
  ]],
  ["more than one thing", { severity: 1, handoff: {}, x: 1 }, [
    "#/summary: is required",
    "#/severity: must be one of low, normal, high, critical",
    `#/handoff/mode: ${MODES}`,
    "#/x: is not a known field",
  ]],
];

for (const [name, body, errors] of REJECTED) {
  Deno.test(`validation names the location of each error: ${name}`, async () => {
    await using service = await openService();
    const response = await service.call(TENANT, { method: "POST", json: body });
    const problem = await assertProblem(response, 422, "validation");
    assertEquals(problem.errors?.map(({ pointer, detail }) => `${pointer}: ${detail}`), errors);
    assertEquals(
      problem.detail,
      "Nothing was stored. Correct the fields listed in 'errors' and send it again",
    );
    const { supportRequest } = await (await service.call(`${TENANT}/latest`)).json();
    assertEquals(supportRequest, null);
  });
}

Deno.test("validation accepts the longest documented texts, and too many diagnostics", async () => {
  await using service = await openService();
  const summary = "😀".repeat(200);
  for (
    const fields of [
      { description: "é\r\n".repeat(2666) },
      { description: "" },
      { contact: { name: "😀".repeat(120), email: "ada@example.com" } },
      { contact: {} },
      { diagnostics: {} },
      { description: "😀".repeat(8000) },
      {
        diagnostics: Object.fromEntries(
          Array.from({ length: 30 }, (_, i) => [`${i}`.padEnd(80, "k"), "é".repeat(700)]),
        ),
      },
      { description: null, severity: "", contact: null, diagnostics: "", handoff: null },
      { diagnostics: { constructor: "a", prototype: "b", toString: "c", hasOwnProperty: "" } },
      { description: "\u202eright to left\u202c, \u200fas some write" },
    ]
  ) {
    const response = await service.call(TENANT, { json: { summary, ...fields } });
    assertEquals(response.status, 201, JSON.stringify(fields).slice(0, 60));
    assertEquals((await response.json()).summary, summary);
  }
});

Deno.test("validation reports at most fifty errors", async () => {
  await using service = await openService();
  const body = Object.fromEntries(Array.from({ length: 3000 }, (_, i) => [`x${i}`, 0]));
  const response = await service.call(TENANT, { json: body });
  assertLessOrEqual((await assertProblem(response, 422, "validation")).errors?.length ?? 0, 50);
});

/** Field names that are long, or become long when they are encoded. */
const longName = fc.oneof(
  fc.constantFrom("x", "é", "😀", '"', "\\", "\u202e", "\ud800", "~", "/", "%", " ")
    .chain((unit) => fc.integer({ min: 1, max: 30_000 }).map((length) => unit.repeat(length))),
  fc.string({ unit: "binary", maxLength: 200 }),
);

Deno.test("the response to an invalid body of any kind stays under 16 KiB", async () => {
  await using service = await openService();
  const long = fc.array(longName, { minLength: 1, maxLength: 60 });
  const objects = long.map((names) => Object.fromEntries(names.map((name) => [name, 0])));
  const value = fc.oneof(longName, objects, fc.constantFrom(null, 0, true), fc.jsonValue());
  const body = fc.oneof(
    objects,
    fc.record({
      summary: value,
      description: value,
      severity: value,
      contact: fc.oneof(value, fc.record({ name: value, email: value })),
      diagnostics: value,
      handoff: fc.oneof(value, fc.record({ mode: value, ticket: value })),
    }, { requiredKeys: [] }),
    fc.integer({ min: 1, max: 8_000 }).map((count) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}`, 0]))
    ),
  );
  await fc.assert(
    fc.asyncProperty(body, longName, async (json, header) => {
      const response = await service.call(TENANT, {
        json,
        headers: { "X-Request-Id": encodeURIComponent(header.toWellFormed()) },
      });
      assertLess((await response.bytes()).length, 16 * 1024);
      const { pathname, search } = new URL(`http://x/v1/tenants/acme/audit-events?limit=1`);
      const name = encodeURIComponent(header.toWellFormed());
      for (
        const path of [
          `/${name}`,
          `/v1/tenants/acme/runs/${name}/support-requests/latest`,
          `/v1/tenants/${name}/audit-events`,
          `/problems/${name}`,
          `${pathname}${search}&cursor=${name}`,
          `${pathname}?limit=${name}`,
        ]
      ) assertLess((await (await service.call(path)).bytes()).length, 1024, path.slice(0, 60));
    }),
    { numRuns: 150 },
  );
  for (const line of service.lines) assertLess(JSON.stringify(line).length, 1024);
});

Deno.test("the response to fifty long field names lists as many as fit", async () => {
  await using service = await openService();
  const names = Array.from({ length: 50 }, (_, i) => `${i}`.padEnd(162, "😀"));
  const json = Object.fromEntries(names.map((name) => [name, 0]));
  const response = await service.call(TENANT, { json });
  const text = await response.clone().text();
  assertLess(text.length, 16 * 1024);
  const { errors = [] } = await assertProblem(response, 422, "validation");
  // The missing summary, and the first names.
  assertEquals([errors[0]?.pointer, errors[1]?.pointer.slice(0, 4)], ["#/summary", "#/0%"]);
  assertLess(10, errors.length);
});

Deno.test("a long field name is truncated in the response, between characters", async () => {
  await using service = await openService();
  for (
    const [name, shown] of [
      ["x".repeat(80), "x".repeat(80)],
      ["x".repeat(81), `${"x".repeat(80)}%E2%80%A6`],
      ["😀".repeat(80), encodeURIComponent("😀".repeat(80))],
      ["😀".repeat(10_000), `${encodeURIComponent("😀".repeat(80))}%E2%80%A6`],
    ] as const
  ) {
    const response = await service.call(TENANT, { json: { summary: "a", [name]: 1 } });
    const { errors } = await assertProblem(response, 422, "validation");
    assertEquals(errors, [{ pointer: `#/${shown}`, detail: "is not a known field" }]);
  }
});

Deno.test("pointer is a JSON Pointer as a URI fragment", () => {
  assertEquals(pointer([]), "#");
  assertEquals(pointer(["contact", "email"]), "#/contact/email");
  assertEquals(pointer(["", 0, "~/%# "]), "#//0/~0~1%25%23%20");
});

Deno.test("any submission is parsed as its schema alone parses it", () => {
  const value = fc.oneof(fc.jsonValue({ maxDepth: 1 }), fc.constant(undefined), anyText);
  const mostly = (arbitrary: fc.Arbitrary<unknown>) =>
    fc.oneof({ weight: 8, arbitrary }, { weight: 1, arbitrary: value });
  const mode = fc.constantFrom("none", "create", "link");
  const submission = fc.record({
    summary: mostly(fc.string({ minLength: 1 })),
    description: mostly(anyText),
    severity: mostly(fc.constantFrom("low", "critical", null)),
    contact: mostly(
      fc.record({ name: mostly(anyText), email: mostly(fc.emailAddress()) }, { requiredKeys: [] }),
    ),
    diagnostics: mostly(fc.dictionary(anyText, mostly(anyText), { maxKeys: 30 })),
    handoff: mostly(fc.record({ mode: mostly(mode), ticket: value }, { requiredKeys: ["mode"] })),
    unknown: value,
  }, { requiredKeys: ["summary"] });
  const result = ({ data, error }: z.ZodSafeParseResult<unknown>) => ({
    data,
    issues: error?.issues.map(({ code, path }) => ({ code, path })),
  });
  fc.assert(
    fc.property(fc.oneof({ weight: 8, arbitrary: submission }, value), (sent) => {
      assertEquals(result(parse(Submission, sent)), result(Submission.safeParse(sent)));
    }),
    { numRuns: 2_000 },
  );
});
