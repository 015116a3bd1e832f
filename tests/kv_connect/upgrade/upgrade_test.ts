/** What a rolling upgrade, or a rollback, must not break while two versions run side by side. */
import { assert, assertEquals, assertGreater } from "@std/assert";
import { requestsPath } from "../../support/constants.ts";
import { runErase } from "../../support/erase.ts";
import { readContents, torn } from "../../support/kv_contents.ts";
import type { Service } from "../../support/service_process.ts";
import { waitFor } from "../../support/wait_for.ts";
import { GRACE_MS, pause, report } from "../fleet.ts";
import { startVersions, type Versions } from "./versions.ts";

const CREATE = { handoff: { mode: "create" } };
/** So long that no handoff ends before its process is killed, also on a busy machine. */
const DESK_TIMEOUT_MS = 5_000;
const KEYS = Array.from({ length: 60 }, (_, i) => `key-${i}`);

/** Runs a test with the versions in both roles. */
function inBothDirections(
  name: string,
  run: (first: Service, second: Service, versions: Versions) => Promise<void>,
): void {
  for (const direction of ["the old version, then the new", "the new version, then the old"]) {
    Deno.test(`${name}: ${direction}`, async () => {
      const env = { SUPPORT_DESK_TIMEOUT_MS: String(DESK_TIMEOUT_MS) };
      await using versions = await startVersions(env);
      const { old, current } = versions;
      const isUpgrade = direction.startsWith("the old");
      await run(isUpgrade ? old : current, isUpgrade ? current : old, versions);
      assertEquals(torn(await readContents(versions.server.url)), []);
    });
  }
}

Deno.test("a key that both versions receive concurrently creates one request and one ticket", async () => {
  const env = {
    SUPPORT_DESK_TIMEOUT_MS: String(DESK_TIMEOUT_MS),
    SUPPORT_DESK_MAX_CONCURRENCY: "64",
  };
  await using versions = await startVersions(env);
  const { old, current, desk, server } = versions;
  desk.behave("slow");
  let rejected = 0;
  await Promise.all(KEYS.map(async (key) => {
    const both = [old, current].map((service) => service.submit(CREATE, { key }));
    const statuses = (await Promise.all(both)).map(({ status }) => status);
    rejected += statuses.filter((status) => status === 409).length;
    assert(statuses.every((status) => status === 201 || status === 409), statuses.join());
  }));
  for (const key of KEYS) {
    const [one, other] = await Promise.all(
      [old, current].map((service) => service.submit(CREATE, { key })),
    );
    assertEquals([one!.status, one!.body.handoff.status], [201, "created"]);
    assertEquals(other!.body, one!.body);
  }
  report({ keys: KEYS.length, "in progress": rejected, tickets: desk.tickets.length });
  assertGreater(rejected, 0);
  assertEquals(desk.tickets.length, KEYS.length);
  const events = await Promise.all([old, current].map((service) => service.auditEvents()));
  assertEquals(events[0], events[1]);
  assertEquals(events[0]!.length, 2 * KEYS.length);
  assertEquals(torn(await readContents(server.url)), []);
});

inBothDirections("what one version stores is the latest in the other", async (first, second) => {
  const link = { mode: "link", ticket: "42" };
  for (let round = 0; round < 30; round++) {
    const [writer, reader] = round % 2 === 0 ? [first, second] : [second, first];
    const handoff = [{ mode: "none" }, { mode: "create" }, link][round % 3]!;
    const run = round % 4 === 0 ? undefined : `r-${round % 4}`;
    const { status, body } = await writer.submit({
      handoff,
      description: "line 1\nline 2",
      contact: { name: "Ada", email: "ada@example.com" },
      diagnostics: { build: "1.2.3" },
      severity: "high",
    }, { run });
    assertEquals(status, 201);
    assertEquals((await reader.latest(run)).body.supportRequest, body);
  }
});

for (const hasTicket of [true, false]) {
  const title = hasTicket ? "with a ticket" : "without a ticket";
  inBothDirections(`a handoff killed ${title} is resumed once`, async (first, second, versions) => {
    const { desk, old } = versions;
    const targets = Array.from({ length: 6 }, (_, i) => ({ run: `r-${i}`, key: `key-${i}` }));
    desk.behave(hasTicket ? "hang-after-create" : "hang");
    const sent = Promise.allSettled(targets.map((one) => first.submit(CREATE, one)));
    for (const { run } of targets) {
      await waitFor(
        `${run} is pending`,
        () => second.latest(run),
        ({ body }) => body.supportRequest?.handoff.status === "pending",
      );
    }
    if (hasTicket) await waitFor("each has a ticket", () => desk.tickets.length === targets.length);
    await first.kill();
    await sent;
    desk.behave("normal");
    assertEquals((await second.submit(CREATE, targets[0])).status, 409, "not yet interrupted");
    await pause(DESK_TIMEOUT_MS + GRACE_MS);
    await using again = await (first === old ? versions.startOld() : versions.startCurrent());
    for (const [i, target] of targets.entries()) {
      // Version 1 resumes a retry only; from version 2 on also without the key.
      const byRetry = () => second.submit(CREATE, target);
      const path = `${requestsPath(target.run)}/latest/resume`;
      const resume = () => second.call(path, { method: "POST" });
      await waitFor(
        "the handoff is resumed",
        i % 2 === 1 && second !== old ? resume : byRetry,
        ({ status }) => status === 200 || status === 201,
      );
      const { body } = await byRetry();
      assertEquals(body.handoff.status, "created");
      assertEquals((await again.submit(CREATE, target)).body, body);
      assertEquals((await again.latest(target.run)).body.supportRequest, body);
    }
    assertEquals(desk.tickets.length, targets.length, "no second ticket");
  });
}

inBothDirections(
  "a suspended process does not overwrite a resume",
  async (first, second, versions) => {
    const { desk, old } = versions;
    const target = { run: "r-1", key: "key-1" };
    desk.behave("hang-after-create");
    const late = first.submit(CREATE, target);
    await waitFor("the ticket exists", () => desk.tickets.length === 1);
    first.child.kill("SIGSTOP");
    desk.behave("normal");
    await pause(DESK_TIMEOUT_MS + GRACE_MS);
    const { body } = await waitFor(
      "the handoff is resumed",
      () => second.submit(CREATE, target),
      ({ status }) => status === 201,
    );
    assertEquals(body.handoff.status, "created");
    first.child.kill("SIGCONT");
    assertEquals((await late).body, body, "the suspended process returns what is stored");
    for (const service of [first, second]) {
      assertEquals((await service.latest("r-1")).body.supportRequest, body);
    }
    assertEquals([desk.tickets.length, (await old.auditEvents()).length], [1, 2]);
  },
);

Deno.test("both versions page through the same audit events, with each other's cursors", async () => {
  await using versions = await startVersions();
  const { old, current } = versions;
  for (let i = 0; i < 23; i++) {
    assertEquals((await (i % 2 ? old : current).submit(CREATE)).status, 201);
  }
  type Page = { events: { reference: string; event: string }[]; nextCursor: string | null };
  const seen: string[] = [];
  let cursor: string | null = "";
  for (let page = 0; cursor !== null; page++) {
    const query: string = `/v1/tenants/acme/audit-events?limit=7${cursor && `&cursor=${cursor}`}`;
    const [one, other]: Page[] = await Promise.all(
      (page % 2 ? [old, current] : [current, old]).map(async (service) =>
        (await service.call<Page>(query)).body
      ),
    );
    assertEquals(one!.events, other!.events);
    seen.push(...one!.events.map(({ reference, event }) => `${reference} ${event}`));
    cursor = one!.nextCursor;
  }
  assertEquals([seen.length, new Set(seen).size], [46, 46]);
});

Deno.test("an erased tenant is gone in both versions, and both store anew", async () => {
  await using versions = await startVersions();
  const { old, current, server } = versions;
  for (const service of [old, current]) {
    for (const key of ["key-1", "key-2"]) {
      assertEquals((await service.submit(CREATE, { key, run: "r-1" })).status, 201);
    }
  }
  const flags = ["--tenant", "acme", "--yes"];
  const { code, stderr } = await runErase(server.url, flags, server.env);
  assertEquals([code, stderr], [0, ""]);
  for (const service of [old, current]) {
    assertEquals((await service.latest("r-1")).body.supportRequest, null);
    assertEquals(await service.auditEvents(), []);
  }
  const { body } = await old.submit(CREATE, { key: "key-1", run: "r-1" });
  assertEquals((await current.submit(CREATE, { key: "key-1", run: "r-1" })).body, body);
  assertEquals((await readContents(server.url)).requests.size, 1);
});

Deno.test("both versions count one limit of submissions per minute", async () => {
  await using versions = await startVersions({ RATE_LIMIT_PER_MINUTE: "10" });
  const { old, current } = versions;
  const statuses: number[] = [];
  for (let i = 0; i < 40; i++) statuses.push((await (i % 2 ? old : current).submit()).status);
  const accepted = statuses.filter((status) => status === 201).length;
  // The minute may change once meanwhile.
  assert(accepted >= 10 && accepted <= 20, `${accepted} were accepted`);
  assertEquals(statuses.filter((status) => status === 429).length, 40 - accepted);
});
