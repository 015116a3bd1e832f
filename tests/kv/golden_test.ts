/**
 * Records that version 1 wrote to a real KV through its HTTP API, frozen in `golden/v1.json`: requests
 * with every handoff, with every optional field and with none, in both contexts; all four audit
 * events; idempotency records; leases; a rate counter. They are never regenerated, because such
 * records are in the stores of people who run Deskhand.
 */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { SignJWT } from "jose";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { ALL_SCOPES } from "../demo/token.ts";
import { FakeClock } from "../support/clock.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { openService } from "../support/service.ts";
import golden from "./golden/v1.json" with { type: "json" };

const MADE_AT = Date.parse(golden.madeAt);
/** For version 1 a handoff was interrupted 15 s after its start, and its leases have expired by then. */
const LATER = Date.parse(golden.readLaterAt);
const HOUR_MS = 3_600_000;

type Who = { sub: string; name?: string };

/** Returns a token that is valid at the time `now`. */
function tokenFor(path: string, { sub, ...claims }: Who, now: number): Promise<string> {
  const tenants = [path.split("/")[3]];
  const seconds = Math.floor(now / 1000);
  return new SignJWT({ tenants, scope: ALL_SCOPES, ...claims })
    .setProtectedHeader({ alg: "HS256" })
    .setSubject(sub)
    .setIssuedAt(seconds)
    .setExpirationTime(seconds + HOUR_MS / 1000)
    .sign(new TextEncoder().encode(AUTH_SECRET));
}

/** Opens the current service on version 1's records, at the time `now`, with a working desk. */
async function openGolden(now = MADE_AT, env: Record<string, string> = {}) {
  const kv = await Deno.openKv(":memory:");
  for (const { key, value } of golden.entries) await kv.set(key, value);
  const desk = startFakeDesk();
  const clock = new FakeClock({ now });
  const service = await openService({
    kv,
    clock,
    env: {
      ...deskEnv(desk),
      SUPPORT_DESK_LABEL: "Acme IT desk",
      ...env,
    },
  });
  return {
    kv,
    desk,
    async read(path: string) {
      const token = await tokenFor(path, { sub: "u-1" }, now);
      const response = await service.call(path, { token });
      return { status: response.status, body: await response.json() };
    },
    async send({ path, who, key, body }: Pick<Submission, "path" | "who" | "key" | "body">) {
      const response = await service.call(path, {
        token: await tokenFor(path, who, now),
        json: body,
        ...key !== null && { headers: { "Idempotency-Key": key } },
      });
      const isReplayed = response.headers.get("Idempotent-Replayed") === "true";
      return { status: response.status, isReplayed, body: await response.json() };
    },
    async [Symbol.asyncDispose]() {
      await service[Symbol.asyncDispose]();
      await desk.close();
      kv.close();
    },
  };
}

interface Submission {
  path: string;
  who: Who;
  key: string | null;
  body: unknown;
  answer?: unknown;
}

const submissions: Submission[] = golden.submissions;

const withKey = (isAnswered: boolean) =>
  submissions.filter(({ key, answer }) => key !== null && (answer !== undefined) === isAnswered);

Deno.test("the golden records of version 1 contain every kind of record and handoff", () => {
  const kinds = golden.entries.map(({ key, value }) => {
    const { handoff } = value as { handoff?: { status: string; reason?: string } };
    return [key[0], handoff?.status, handoff?.reason, key[0] === "audit" ? key.at(-1) : undefined]
      .filter((part) => part !== undefined).join(" ");
  });
  const reasons = [
    "desk_not_configured",
    "desk_unreachable",
    "desk_timeout",
    "desk_connection_lost",
    "desk_refused_credentials",
    "desk_rejected",
    "desk_rate_limited",
    "desk_error",
    "desk_unreadable",
  ];
  for (const context of ["tenant", "run"]) {
    const handoffs = ["none", "pending", "created", "linked", ...reasons.map((r) => `failed ${r}`)];
    for (const handoff of handoffs) assert(kinds.includes(`${context} ${handoff}`), handoff);
  }
  for (const event of ["submitted", "created", "failed", "superseded"]) {
    assert(kinds.some((kind) => kind.startsWith("audit") && kind.endsWith(`.${event}`)), event);
  }
  for (const kind of ["idempotency", "lease", "rate"]) assert(kinds.includes(kind), kind);
});

Deno.test("the latest request of each context reads as version 1 showed it", async () => {
  for (const [now, readings] of [[MADE_AT, golden.latest], [LATER, golden.latestLater]] as const) {
    await using test = await openGolden(now);
    for (const { path, answer } of readings) {
      const { status, body } = await test.read(path);
      const shown = [body, answer].map(({ supportRequest }) =>
        withoutDerivedSummary(supportRequest)
      );
      assertEquals([status, shown[0]], [200, shown[1]], path);
    }
  }
});

/** The summary of an interrupted handoff is not stored, but written by the version that reads it. */
function withoutDerivedSummary(request: { handoff: { reason?: string; summary?: string } }) {
  if (request.handoff.reason !== "interrupted") return request;
  const { summary: _, ...handoff } = request.handoff;
  return { ...request, handoff };
}

Deno.test("a retry replays the submission that version 1 stored", async () => {
  await using test = await openGolden();
  const retried = withKey(true);
  assertGreater(retried.length, 30);
  for (const submission of retried) {
    const { status, isReplayed, body } = await test.send(submission);
    assertEquals([status, isReplayed, body], [201, true, submission.answer], submission.path);
  }
  assertEquals(test.desk.tickets, []);
});

Deno.test("an idempotency key of version 1 rejects another body", async () => {
  await using test = await openGolden();
  for (const submission of withKey(true)) {
    const { status } = await test.send({ ...submission, body: { summary: "Another one" } });
    assertEquals(status, 422, submission.path);
  }
});

Deno.test("the audit events of version 1 are paged by the cursors that it returned", async () => {
  await using test = await openGolden();
  for (const { tenantId, limit, pages } of golden.audit) {
    for (const { cursor, answer } of pages) {
      const query = `limit=${limit}${cursor === null ? "" : `&cursor=${cursor}`}`;
      const { body } = await test.read(`/v1/tenants/${tenantId}/audit-events?${query}`);
      assertEquals(body, answer, query);
    }
  }
});

Deno.test("a handoff that version 1 left pending is resumed once its lease has expired", async () => {
  const LEASED_MS = 20_000;
  const left = withKey(false);
  assertEquals(left.length, 8);
  await using early = await openGolden(MADE_AT + LEASED_MS);
  for (const submission of left) {
    const isLeased = submission.path.includes("leased");
    const { status, body } = await early.send(submission);
    assertEquals(status, isLeased ? 409 : 201, submission.path);
    if (!isLeased) assertEquals(body.handoff.status, "created");
  }
  await using late = await openGolden(LATER);
  for (const submission of left) {
    const { status, isReplayed, body } = await late.send(submission);
    assertEquals([status, isReplayed, body.handoff.status], [201, true, "created"]);
  }
  assertEquals(late.desk.tickets.length, left.length);
});
