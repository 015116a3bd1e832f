import { assert, assertEquals, assertLessOrEqual } from "@std/assert";
import { Submission } from "../../domain/submission.ts";
import type { Actor } from "../../domain/support_request.ts";
import { createSharedRateLimit } from "../../kv/rate_limit.ts";
import { claim, created, openTestStore, pendingIn, run, SetClock, START } from "./fixtures.ts";

const ID = "x".repeat(128);
/** Four bytes in UTF-8, and so in a KV key. */
const ASTRAL = "😀";
const ACTOR: Actor = { id: ASTRAL.repeat(255), name: ASTRAL.repeat(120) };
const KEY = claim({ tenantId: ID, actorId: ACTOR.id, key: "~".repeat(255) });

/** The largest body that the HTTP contract accepts. */
const MAX_BODY_BYTES = 48 * 1024;

/** `wide` of the characters take four bytes. */
function text(characters: number, wide: number): string {
  return ASTRAL.repeat(wide) + "a".repeat(characters - wide);
}

/** Every field as long as it may be, one character of each being wide, `wide` in the description. */
function submission(wide: number) {
  const diagnostics = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [text(62, 1) + (10 + i), text(500, 1)]),
  );
  return {
    summary: text(200, 1),
    description: text(8000, wide),
    severity: "critical",
    contact: { name: text(120, 1), email: longestEmail() },
    diagnostics,
    handoff: { mode: "create" },
  };
}

function longestEmail(): string {
  const domain = ".example.com";
  return `ada@${"a".repeat(254 - "ada@".length - domain.length)}${domain}`;
}

const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length;

/**
 * KV stores a text that has one character beyond Latin-1 in two bytes a UTF-16 unit. So the most
 * storage for a body is that every text has such a character; what is left of the body then goes
 * furthest on wide ones, of four bytes in both. The wide half of the description does that here.
 */
function largestSubmission() {
  const wide = Math.min(8000, 1 + Math.floor((MAX_BODY_BYTES - bytesOf(submission(1))) / 3));
  const largest = submission(wide);
  assertLessOrEqual(bytesOf(largest), MAX_BODY_BYTES);
  return Submission.parse(largest);
}

Deno.test("append and finalize keep the largest submission there can be, under the longest ids", async () => {
  const { handoff: _, ...asked } = largestSubmission();
  for (const isExclusive of [true, false]) {
    using test = await openTestStore({ isExclusive, retentionDays: 36_500 });
    const context = run(ID, ID);
    const request = { ...pendingIn(context), ...asked, createdBy: ACTOR };
    const appended = await test.store.append(request, KEY);
    assert(appended.outcome === "stored");
    assertEquals(await test.store.finalize(appended.stored, created("9".repeat(15))), true);
    await test.store.supersede(appended.stored, created("8".repeat(15)));
    const handoff = created("9".repeat(15));
    assertEquals((await test.store.latest(context))?.request, { ...request, handoff });
    assertEquals((await test.store.findKey(KEY)).outcome, "taken");
    assertEquals((await test.store.auditEvents(ID, 50)).events.length, 3);
  }
});

Deno.test("createSharedRateLimit counts an actor under the longest ids", async () => {
  using kv = await Deno.openKv(":memory:");
  const limit = createSharedRateLimit(kv, 1, new SetClock());
  assertEquals(await limit.take(ID, ACTOR.id), { allowed: true });
  assertEquals((await limit.take(ID, ACTOR.id)).allowed, false);
});

Deno.test("latest tells the longest ids apart by their last character", async () => {
  using test = await openTestStore();
  const contexts = [run(ID, ID), run(`${ID.slice(1)}y`, ID), run(ID, `${ID.slice(1)}y`)];
  for (const context of contexts) await test.store.append(pendingIn(context, START));
  for (const context of contexts) {
    assertEquals((await test.store.latest(context))?.request.context, context);
  }
});
