/** Text of every kind, through the whole service into the store. */
import { assert, assertEquals, assertGreater, assertLess, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { Submission } from "../../../domain/model/submission.ts";
import { countCharacters } from "../../../domain/model/text.ts";
import { deskEnv, TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { anyLongText, anyText, KINDS } from "../../support/text_arbitraries.ts";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { readProblem } from "../assert_problem.ts";

interface Sent {
  summary: string;
  description?: unknown;
  severity?: unknown;
  contact?: unknown;
  diagnostics?: unknown;
  handoff?: unknown;
}

type Stored = Record<string, unknown> & Partial<Submission> & { reference: string };

async function open() {
  const desk = startFakeDesk();
  const service = await openService({
    env: {
      ...deskEnv(desk),
    },
  });
  return {
    desk,
    service,
    /** Returns the stored record of the last submission. */
    async latest(): Promise<Stored> {
      const selector = { prefix: ["tenant", "acme"] };
      const [entry] = await Array.fromAsync(
        service.kv.list<Stored>(selector, { reverse: true, limit: 1 }),
      );
      return entry!.value;
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await desk.close();
    },
  };
}

function assertWithinLimits({ summary, description, contact, diagnostics = {} }: Stored) {
  const values = Object.values(diagnostics);
  const lengths: [string | undefined, number][] = [
    [summary, 200],
    [description, 8000],
    [contact?.name, 120],
    [contact?.email, 254],
    ...Object.keys(diagnostics).map((key): [string, number] => [key, 64]),
    ...values.map((value): [string, number] => [value, 4000]),
    [values.join(""), 10_000],
  ];
  for (const [text = "x", limit] of lengths) {
    assertLessOrEqual(countCharacters(text), limit);
    assert(text.isWellFormed());
  }
  for (const line of [summary, contact?.name, contact?.email, ...Object.keys(diagnostics)]) {
    assert(!/[\p{Cc}\u2028\u2029]/u.test(line ?? ""));
  }
  for (const lines of [description, ...values]) {
    assert(!/[^\P{Cc}\t\n]|[\u2028\u2029]/u.test(lines ?? ""));
  }
}

/** Returns whether the text was stored, cleaned. Otherwise asserts a 422 that names a field. */
async function submit(
  { service, latest }: Awaited<ReturnType<typeof open>>,
  sent: Sent,
): Promise<boolean> {
  const response = await service.call(TENANT, { json: sent });
  assertLess(response.status, 500);
  const expected = Submission.safeParse(JSON.parse(JSON.stringify(sent)));
  if (response.status === 422) {
    const { errors = [] } = await readProblem(response);
    for (const { pointer } of errors) {
      assert(
        /^#\/(summary|description|severity|contact|diagnostics|handoff)/.test(pointer),
        pointer,
      );
    }
    assert(errors.length > 0);
    assertEquals(expected.success && expected.data.handoff.mode !== "link", false);
    return false;
  }
  assertEquals(response.status, 201);
  const { reference } = await response.json();
  const stored = await latest();
  assertEquals(stored.reference, reference);
  assertWithinLimits(stored);
  const { handoff: _, ...fields } = expected.data!;
  for (const field of ["summary", "description", "severity", "contact", "diagnostics"] as const) {
    assertEquals(stored[field], fields[field], field);
  }
  return true;
}

for (const [kind, text] of Object.entries(KINDS)) {
  Deno.test(`a request is stored with text of any kind in any field: ${kind}`, async () => {
    await using place = await open();
    for (
      const fields of [
        { summary: `a ${text}`.slice(0, 200) },
        { description: text },
        { contact: { name: `${text}`.slice(0, 120), email: "ada@acme.example" } },
        { diagnostics: { a: text, [`${text} x`]: text } },
        { severity: "low", contact: { name: text.slice(0, 9) }, handoff: { mode: "create" } },
      ]
    ) assertEquals(await submit(place, { summary: "Help", ...fields }), true);
    assertEquals(place.desk.tickets.length, 1);
  });
}

const wrong = fc.constantFrom<unknown>(
  0,
  -0,
  1e300,
  true,
  {},
  [],
  [""],
  { a: {} },
  "x".repeat(9000),
);

/** Mostly text, sometimes anything. */
const mostly = (...right: fc.Arbitrary<unknown>[]) =>
  fc.oneof(
    ...right.map((arbitrary) => ({ weight: 20, arbitrary })),
    { weight: 1, arbitrary: wrong },
    { weight: 1, arbitrary: anyLongText },
  );
const absent = fc.constantFrom(null, "", " \n");
const short = anyText.map((text) => [...text].slice(0, 120).join(""));

const submission = fc.record({
  summary: mostly(short.map((text) => `${text}?`)),
  description: mostly(anyText, anyLongText.map((text) => text.slice(0, 8000)), absent),
  severity: mostly(fc.constantFrom("low", "critical"), absent),
  contact: mostly(
    fc.record({ name: mostly(short), email: mostly(fc.emailAddress(), absent) }),
    fc.record({ name: short }),
    absent,
  ),
  diagnostics: mostly(
    fc.dictionary(
      anyText.filter((key) => key !== "__proto__"),
      fc.oneof(
        anyText,
        anyLongText,
        fc.boolean(),
        fc.double({ noDefaultInfinity: true, noNaN: true }),
      ),
      { maxKeys: 25 },
    ),
    fc.dictionary(fc.constantFrom("a", "b"), mostly(short)),
    absent,
  ),
  handoff: mostly(
    fc.record({ mode: fc.constantFrom("none", "create"), ticket: absent }),
    fc.record({ mode: fc.constant("link"), ticket: mostly(fc.constantFrom("#42"), short) }),
    absent,
  ),
}, { requiredKeys: ["summary"] });

Deno.test("any submitted text is stored clean, or a 422 names the field", async () => {
  await using place = await open();
  let stored = 0;
  await fc.assert(
    fc.asyncProperty(submission, async (sent) => {
      if (new TextEncoder().encode(JSON.stringify(sent)).length > 48 * 1024) return;
      if (await submit(place, sent as unknown as Sent)) stored++;
    }),
    { numRuns: 400 },
  );
  assertGreater(stored, 100);
  assertEquals(place.service.lines.filter(({ level }) => level === "error"), []);
});
