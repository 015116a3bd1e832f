import { assertEquals } from "@std/assert";
import { getLatest } from "../../domain/get_latest.ts";
import {
  createdAs,
  openTestDependencies,
  OVERDUE_MS,
  ScriptedDesk,
  submitRequest,
  submittedRequest,
} from "./fixtures.ts";
import { ACME } from "../support/constants.ts";

Deno.test("getLatest returns the desk and the handoff modes before any submission", async () => {
  using test = await openTestDependencies();
  assertEquals(await getLatest(test.deps, ACME), {
    desk: { label: "Acme IT desk" },
    handoffModes: ["none", "create", "link"],
    supportRequest: null,
  });
});

Deno.test("getLatest offers no handoff if no desk is configured", async () => {
  using test = await openTestDependencies({ desk: null });
  assertEquals(await getLatest(test.deps, ACME), {
    desk: null,
    handoffModes: ["none"],
    supportRequest: null,
  });
});

Deno.test("getLatest returns the latest request of its context only", async () => {
  using test = await openTestDependencies();
  const run = { kind: "run", tenantId: "acme", runId: "acme" } as const;
  await submitRequest(test.deps, { summary: "First" });
  const tenants = submittedRequest(await submitRequest(test.deps, { summary: "Second" }));
  const runs = submittedRequest(await submitRequest(test.deps, { summary: "Third", context: run }));
  assertEquals((await getLatest(test.deps, ACME)).supportRequest, tenants);
  assertEquals((await getLatest(test.deps, run)).supportRequest, runs);
});

Deno.test("getLatest never shows a request in flight here as interrupted", async () => {
  const desk = new ScriptedDesk();
  using test = await openTestDependencies({ desk });
  const statuses: (string | undefined)[] = [];
  desk.onCreate = async () => {
    test.clock.time += OVERDUE_MS + 1;
    const { supportRequest } = await getLatest(test.deps, ACME);
    statuses.push(supportRequest?.handoff.status);
    return createdAs("42");
  };
  await submitRequest(test.deps);
  statuses.push((await getLatest(test.deps, ACME)).supportRequest?.handoff.status);
  assertEquals(statuses, ["pending", "created"]);
});
