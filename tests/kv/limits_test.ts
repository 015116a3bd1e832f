import { serialize } from "node:v8";
import { assert, assertEquals, assertGreater, assertLessOrEqual } from "@std/assert";
import fc from "fast-check";
import { MAX_DESK_URL_LENGTH } from "../../config/environment.ts";
import { type FinalHandoff, toTimestamp } from "../../domain/model/handoff.ts";
import { Submission } from "../../domain/model/submission.ts";
import type { Actor } from "../../domain/model/support_request.ts";
import { SharedRateLimit } from "../../kv/rate_limit.ts";
import { MAX_BODY_BYTES } from "../../routes/http/json_body.ts";
import { openTestStore } from "./fixtures.ts";
import { FakeClock } from "../support/clock.ts";
import { run, START } from "../support/constants.ts";
import { claim, pendingIn } from "../support/records.ts";

const ID = "x".repeat(128);
const RUN_ID = "r".repeat(250);
/** Takes four bytes in UTF-8, and so in a KV key. */
const ASTRAL = "😀";
const ACTOR: Actor = { id: ASTRAL.repeat(255), name: ASTRAL.repeat(120) };
const KEY = claim({ tenantId: ID, actorId: ACTOR.id, key: "~".repeat(255) });
const DESK_URL = `https://desk.example/${"x".repeat(MAX_DESK_URL_LENGTH - 21)}`;

function ticket(number: string): FinalHandoff {
  const url = `${DESK_URL}/Ticket/Display.html?id=${number}`;
  return { status: "created", ticket: { reference: number, url }, at: toTimestamp(START) };
}

const FAILED: FinalHandoff = {
  status: "failed",
  reason: "desk_refused_credentials",
  summary: "語".repeat(200),
  ticketMayExist: true,
  at: toTimestamp(START),
};

const EMAIL = "ada@example.com".padStart(254, "a");

interface Sizes {
  summary: string;
  description: string;
  name: string;
  values: string[];
  key: (i: number) => string;
}

function body({ summary, description, name, values, key }: Sizes) {
  return {
    summary,
    description,
    severity: "critical",
    contact: { name, email: EMAIL },
    diagnostics: Object.fromEntries(values.map((value, i) => [key(i), value])),
    handoff: { mode: "create" },
  };
}

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;

/** Returns the size of KV's serialization of a value, plus a few bytes of Node's own. */
const storedBytes = (value: unknown) => serialize(value).length;

/** Returns a text in which `wide` of the characters take four bytes. */
function text(length: number, wide: number): string {
  return ASTRAL.repeat(wide) + "a".repeat(length - wide);
}

/**
 * Returns the body that takes the most storage. KV stores a text with a character beyond Latin-1 in two
 * bytes per UTF-16 unit, so every text is as long as allowed and has such a character. The rest of the
 * body is best spent on characters of four bytes, which add three bytes to the body and two to the
 * store.
 */
function largestBody() {
  const sizes = (wide: number) => ({
    summary: text(200, 1),
    description: text(8000, Math.min(8000, wide)),
    name: text(120, 1),
    values: Array.from(
      { length: 20 },
      () => text(500, 1 + Math.floor(Math.max(0, wide - 8000) / 20)),
    ),
    key: (i: number) => text(62, 1) + (10 + i),
  });
  // Of 17,980 characters each can be wide, of which some ten thousand fit into the body.
  let wide = 10_500;
  while (bytesOf(body(sizes(wide))) > MAX_BODY_BYTES) wide--;
  return body(sizes(wide));
}

type TestStore = Awaited<ReturnType<typeof openTestStore>>;

/** Commits every record that a body can lead to, and returns the size of the largest in bytes. */
async function commitAll({ store, kv }: TestStore, sent: unknown): Promise<number> {
  const { handoff: _, ...fields } = Submission.parse(sent);
  let largest = 0;
  for (const outcome of [ticket("9".repeat(15)), FAILED]) {
    const context = run(RUN_ID, ID);
    const pending = {
      ...pendingIn(context),
      ...fields,
      createdBy: ACTOR,
      requestorEmail: EMAIL,
    };
    const key = { ...KEY, key: crypto.randomUUID().padEnd(255, "~") };
    const appended = await store.append(pending, key);
    assert(appended.outcome === "stored");
    assertEquals(await store.finalize(appended.stored, outcome, ACTOR), true);
    await store.recordSuperseded(appended.stored, ticket("8".repeat(15)), ACTOR);
    assertEquals((await store.latest(context))?.request, { ...pending, handoff: outcome });
    assertEquals((await store.findKey(key)).outcome, "taken");
    for await (const { value } of kv.list({ prefix: [] })) {
      largest = Math.max(largest, storedBytes(value));
    }
  }
  return largest;
}

Deno.test("the largest possible submission is stored and finalized, with the longest IDs", async () => {
  const sent = largestBody();
  assertGreater(bytesOf(sent), MAX_BODY_BYTES - 4);
  for (const isExclusive of [true, false]) {
    using test = await openTestStore({ isExclusive, retentionDays: 36_500 });
    const bytes = await commitAll(test, sent);
    assertGreater(bytes, 63_000);
    assertLessOrEqual(bytes, 65_536);
    assertEquals((await test.store.auditEvents(ID, 50)).events.length, 6);
  }
});

/** Two alphabets: one character of the other one can double the size of a text. */
const alphabet = fc.tuple(
  fc.constantFrom(
    "a",
    "\x7f",
    "é",
    "\u0301",
    "語",
    "\ufeff",
    ASTRAL,
    "👍🏽",
    "\ud83d",
    "\u001b[1m",
    "\n",
  ),
  fc.constantFrom("", "語", ASTRAL, "\0"),
);
const filled = (most: number) =>
  fc.tuple(alphabet, fc.oneof(fc.constant(most), fc.nat(most))).map(([[unit, other], length]) =>
    [..."a" + other + unit.repeat(Math.max(0, length))].slice(0, length).join("") || "a"
  );
const sizes = fc.record({
  summary: filled(200),
  description: filled(8000),
  name: filled(120),
  values: fc.array(filled(5000), { maxLength: 22 }),
  keyLength: fc.integer({ min: 1, max: 70 }),
  keyUnit: fc.constantFrom("a", "é", ASTRAL, "\t", " "),
});

Deno.test("no valid submission exceeds KV's 64 KiB per value, in any alphabet", async () => {
  using test = await openTestStore();
  await fc.assert(
    fc.asyncProperty(sizes, async ({ keyLength, keyUnit, ...others }) => {
      const key = (i: number) => `${i}`.padEnd(keyLength, keyUnit);
      const sent = body({ ...others, key });
      // The service would reject a larger body; this one is as large as allowed.
      for (let over: number; (over = bytesOf(sent) - MAX_BODY_BYTES) > 0;) {
        const last = Object.keys(sent.diagnostics).at(-1);
        const value = last === undefined ? sent.description : sent.diagnostics[last]!;
        const rest = value.slice(0, -Math.ceil(over / 6));
        if (last === undefined) sent.description = rest;
        else if (rest === "") delete sent.diagnostics[last];
        else sent.diagnostics[last] = rest;
      }
      assertLessOrEqual(await commitAll(test, sent), 65_536);
      for await (const { key } of test.kv.list({ prefix: [] })) await test.kv.delete(key);
    }),
    { numRuns: 60 },
  );
});

Deno.test("SharedRateLimit counts an actor with the longest IDs", async () => {
  using kv = await Deno.openKv(":memory:");
  const limit = new SharedRateLimit(kv, 1, new FakeClock());
  assertEquals(await limit.consume(ID, ACTOR.id), { allowed: true });
  assertEquals((await limit.consume(ID, ACTOR.id)).allowed, false);
});

Deno.test("latest distinguishes the longest IDs by their last character", async () => {
  using test = await openTestStore();
  const contexts = [run(ID, ID), run(`${ID.slice(1)}y`, ID), run(ID, `${ID.slice(1)}y`)];
  for (const context of contexts) await test.store.append(pendingIn(context, START));
  for (const context of contexts) {
    assertEquals((await test.store.latest(context))?.request.context, context);
  }
});
