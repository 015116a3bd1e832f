import { assertEquals } from "@std/assert";
import { getLatest } from "../../domain/get_latest.ts";
import { ask, createdAs, openDeskhand, OVERDUE_MS, requestOf, ScriptedDesk } from "./fixtures.ts";
import { ACME } from "../support/constants.ts";

Deno.test("latest tells what the context can ask for before anybody has asked", async () => {
  using test = await openDeskhand();
  assertEquals(await getLatest(test.deps, ACME), {
    desk: { label: "Acme IT desk" },
    handoffModes: ["none", "create", "link"],
    supportRequest: null,
  });
});

Deno.test("latest offers no handoff where no desk is configured", async () => {
  using test = await openDeskhand({ desk: null });
  assertEquals(await getLatest(test.deps, ACME), {
    desk: null,
    handoffModes: ["none"],
    supportRequest: null,
  });
});

Deno.test("latest is the context's own last request, wherever others ask", async () => {
  using test = await openDeskhand();
  const run = { kind: "run", tenantId: "acme", runId: "acme" } as const;
  await ask(test.deps, { summary: "First" });
  const tenants = requestOf(await ask(test.deps, { summary: "Second" }));
  const runs = requestOf(await ask(test.deps, { summary: "Third", context: run }));
  assertEquals((await getLatest(test.deps, ACME)).supportRequest, tenants);
  assertEquals((await getLatest(test.deps, run)).supportRequest, runs);
});

Deno.test("latest does not take for interrupted what is under way here, whatever the clock says", async () => {
  const desk = new ScriptedDesk();
  using test = await openDeskhand({ desk });
  const statuses: (string | undefined)[] = [];
  desk.onCreate = async () => {
    test.clock.time += OVERDUE_MS + 1;
    const { supportRequest } = await getLatest(test.deps, ACME);
    statuses.push(supportRequest?.handoff.status);
    return createdAs("42");
  };
  await ask(test.deps);
  statuses.push((await getLatest(test.deps, ACME)).supportRequest?.handoff.status);
  assertEquals(statuses, ["pending", "created"]);
});
