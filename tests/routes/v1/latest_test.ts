import { assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { FakeClock } from "../../support/clock.ts";
import { deskEnv, RUN, TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { assertProblem } from "../assert_problem.ts";

const DESK = {
  SUPPORT_DESK_URL: "https://desk.example",
  SUPPORT_DESK_TOKEN: "t",
  SUPPORT_DESK_QUEUE: "Support",
};

Deno.test("latest has the desk, its handoff modes, and no request at first", async () => {
  await using service = await openService({ env: { ...DESK, SUPPORT_DESK_LABEL: "Acme IT desk" } });
  const response = await service.call(`${TENANT}/latest`);
  assertEquals(response.status, 200);
  assertEquals(response.headers.get("Content-Type"), "application/json");
  assertEquals(await response.json(), {
    desk: { label: "Acme IT desk" },
    handoffModes: ["none", "create", "link"],
    supportRequest: null,
  });
});

Deno.test("latest offers no handoff if no desk is configured", async () => {
  await using service = await openService();
  assertEquals(await (await service.call(`${RUN}/latest`)).json(), {
    desk: null,
    handoffModes: ["none"],
    supportRequest: null,
  });
});

Deno.test("latest returns the latest submission of exactly this context", async () => {
  await using service = await openService();
  const token = { tenants: ["acme", "other"] };
  const stored = new Map<string, unknown>();
  for (
    const path of [
      RUN,
      TENANT,
      RUN,
      "/v1/tenants/other/runs/r-1/support-requests",
      "/v1/tenants/acme/runs/r-2/support-requests",
      "/v1/tenants/other/support-requests",
    ]
  ) stored.set(path, await (await service.call(path, { token, json: { summary: path } })).json());
  for (const [path, request] of stored) {
    const { supportRequest } = await (await service.call(`${path}/latest`, { token })).json();
    assertEquals(supportRequest, request);
  }
});

Deno.test("latest may be cached privately, and must be revalidated", async () => {
  await using service = await openService();
  for (const path of [`${TENANT}/latest`, `${RUN}/latest`]) {
    const response = await service.call(path);
    assertEquals(response.headers.get("Cache-Control"), "private, no-cache");
    assertEquals(response.headers.get("Vary"), "Authorization");
    assertMatch(response.headers.get("ETag") ?? "", /^"[^"]+"$/);
  }
});

Deno.test("latest is 304 without a body if nothing changed", async () => {
  await using service = await openService({ env: { CORS_ORIGINS: "https://app.example" } });
  await service.call(TENANT, { json: { summary: "Help" } });
  const Origin = "https://app.example";
  const full = await service.call(`${TENANT}/latest`, { headers: { Origin } });
  const tag = full.headers.get("ETag")!;
  for (const tags of [tag, `W/${tag}`, `"x", ${tag}`, "*"]) {
    const response = await service.call(`${TENANT}/latest`, {
      headers: { Origin, "If-None-Match": tags, "X-Request-Id": "r-304" },
    });
    assertEquals(response.status, 304);
    assertEquals(await response.text(), "");
    assertEquals(response.headers.get("X-Request-Id"), "r-304");
    // All headers except those of the body: cross-origin pages need the CORS headers, too.
    for (const [name, value] of full.headers) {
      if (name === "content-type" || name === "x-request-id") continue;
      assertEquals(response.headers.get(name), value, name);
    }
  }
  const head = await service.call(`${TENANT}/latest`, {
    method: "HEAD",
    headers: { "If-None-Match": tag },
  });
  assertEquals(head.status, 304);
});

Deno.test("the ETag of latest changes with the request, the label and the desk", async () => {
  const kv = await Deno.openKv(":memory:");
  const tags: (string | null)[] = [];
  for (
    const env of [{}, DESK, { ...DESK, SUPPORT_DESK_LABEL: "Another label" }] as Record<
      string,
      string
    >[]
  ) {
    await using service = await openService({ env, kv });
    tags.push((await service.call(`${TENANT}/latest`)).headers.get("ETag"));
  }
  {
    await using service = await openService({ env: DESK, kv });
    for (let i = 0; i < 2; i++) {
      await service.call(TENANT, { json: { summary: "The same words" } });
      const { headers } = await service.call(`${TENANT}/latest`, {
        headers: { "If-None-Match": tags.join(", ") },
      });
      tags.push(headers.get("ETag"));
    }
  }
  kv.close();
  assertEquals(new Set(tags).size, 5, tags.join(" "));
});

Deno.test("the ETag of latest changes when a pending handoff becomes interrupted", async () => {
  using kv = await Deno.openKv(":memory:");
  const desk = startFakeDesk();
  desk.behave("hang");
  const env = {
    ...deskEnv(desk),
  };
  await using first = await openService({ env, kv });
  const clock = new FakeClock({ now: "real" });
  // To another process, it looks as if the process of that handoff had died.
  await using other = await openService({ env, kv, clock });
  const submission = first.call(TENANT, {
    json: { summary: "Help", handoff: { mode: "create" } },
  });
  const look = async (tag = "") => {
    const response = await other.call(`${TENANT}/latest`, { headers: { "If-None-Match": tag } });
    const body = response.status === 304 ? null : await response.json();
    return { status: response.status, tag: response.headers.get("ETag")!, body };
  };
  let pending = await look();
  while (pending.body.supportRequest === null) pending = await look();
  const { handoff, createdAt } = pending.body.supportRequest;
  assertEquals(handoff, { status: "pending", since: createdAt });
  assertEquals((await look(pending.tag)).status, 304);

  clock.offset = 15_000 + 1_000;
  const interrupted = await look(pending.tag);
  assertEquals(interrupted.status, 200);
  const failed = interrupted.body.supportRequest.handoff;
  assertEquals([failed.status, failed.reason, failed.ticketMayExist], [
    "failed",
    "interrupted",
    true,
  ]);
  assertNotEquals(interrupted.tag, pending.tag);
  clock.offset += 60_000;
  assertEquals((await look(interrupted.tag)).status, 304);

  await desk.close();
  assertEquals((await submission).status, 201);
});

for (
  const runId of [
    "-r",
    "r%201",
    "r%2F1",
    "r%00",
    "%zz",
    "%E0%A4%A",
    "é",
    "r".repeat(251),
    "*",
    "~r",
  ]
) {
  Deno.test(`latest rejects the run ID ${runId.slice(0, 20)}`, async () => {
    await using service = await openService();
    for (const call of [{}, { json: { summary: "Help" } }]) {
      const path = `/v1/tenants/acme/runs/${runId}/support-requests`;
      const response = await service.call("json" in call ? path : `${path}/latest`, call);
      const { errors } = await assertProblem(response, 422, "validation");
      assertEquals(errors?.map(({ pointer }) => pointer), ["#/runId"]);
    }
  });
}

Deno.test("a run has one context, however its ID is percent-encoded", async () => {
  await using service = await openService();
  const path = (runId: string) => `/v1/tenants/acme/runs/${runId}/support-requests`;
  for (
    const runId of [
      "scheduled__2026-11-25T00:00:00+00:00",
      "nightly@host~1=2",
      "_",
      `${"r".repeat(249)}+`,
    ]
  ) {
    const everything = runId.replace(/./g, (c) => `%${c.charCodeAt(0).toString(16)}`);
    const stored = await (await service.call(path(runId), { json: { summary: "Help" } })).json();
    assertEquals(stored.context, { kind: "run", tenantId: "acme", runId });
    for (const encoded of [runId, encodeURIComponent(runId), everything]) {
      const latest = await (await service.call(`${path(encoded)}/latest`)).json();
      assertEquals(latest.supportRequest, stored, encoded);
    }
  }
});

Deno.test("latest accepts IDs of the maximum length, and percent-encoded ones", async () => {
  await using service = await openService();
  const long = "r".repeat(250);
  const path = (runId: string) => `/v1/tenants/acme/runs/${runId}/support-requests`;
  const stored = await (await service.call(path(long), { json: { summary: "Help" } })).json();
  const encoded = await service.call(`${path(long.replace("r", "%72"))}/latest`);
  assertEquals((await encoded.json()).supportRequest, stored);
});
