import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mintToken } from "../demo/token.ts";
import { failures, openDeskhand } from "./operator.ts";
import { runTask } from "../support/task.ts";

Deno.test("smoke says what a token must be where it is refused, and which lines to look for", async () => {
  await using deskhand = await openDeskhand();
  const foreign = await mintToken("another secret, of 32 bytes or more");
  const { code, stdout } = await deskhand.smoke([], foreign);
  assertEquals(code, 1);
  const [failure, ...others] = failures(stdout);
  assertEquals(others, []);
  assertStringIncludes(failure!, "the token is accepted. The token was refused. It must be signed");
  assertStringIncludes(stdout, "4 ok, 1 failed, 7 not tried because of what failed\n");
  const run = stdout.match(/begins with (smoke-\S+)/)![1]!;
  const line = deskhand.service.lines.find(({ requestId }) => requestId === `${run}-token`);
  assertEquals(line?.status, 401);
});

Deno.test("smoke names the tenant that a token does not cover", async () => {
  await using deskhand = await openDeskhand();
  const { code, stdout } = await deskhand.smoke([], { tenants: ["globex"] });
  assertEquals(code, 1);
  assertStringIncludes(failures(stdout).join(), "The token does not cover the tenant acme");
});

for (const missing of ["support_requests:create", "support_requests:read"]) {
  Deno.test(`smoke names the missing scope ${missing}`, async () => {
    await using deskhand = await openDeskhand();
    const scope = ["support_requests:create", "support_requests:read"]
      .filter((name) => name !== missing).join(" ");
    const { code, stdout } = await deskhand.smoke([], { scope });
    assertEquals(code, 1);
    assertStringIncludes(failures(stdout).join(), `it lacks ${missing}. Have it issued`);
  });
}

Deno.test("smoke says where to look where nothing listens", async () => {
  await using deskhand = await openDeskhand();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const free = `http://127.0.0.1:${listener.addr.port}`;
  listener.close();
  const { code, stdout } = await deskhand.smoke(["--url", free]);
  assertEquals(code, 1);
  assertStringIncludes(failures(stdout).join(), `Nothing listens at ${free}. Start Deskhand`);
});

Deno.test("smoke tells another server from a Deskhand", async () => {
  await using deskhand = await openDeskhand();
  const { code, stdout } = await deskhand.smoke(["--url", deskhand.desk.url]);
  assertEquals(code, 1);
  assertStringIncludes(failures(stdout).join(), "Check that --url is a Deskhand's address");
});

Deno.test("smoke --json prints one document that agrees with the exit code", async () => {
  await using deskhand = await openDeskhand();
  const well = await deskhand.smoke(["--json"]);
  const { ok, url, tenantId, runId, handoff, checks } = JSON.parse(well.stdout);
  assertEquals([well.code, ok, url, tenantId, handoff], [0, true, deskhand.url, "acme", "none"]);
  assertEquals(new Set(checks.map(({ outcome }: { outcome: string }) => outcome)), new Set(["ok"]));
  const [first] = checks;
  assertEquals({ ...first, ms: 0 }, {
    name: "livez",
    title: "it answers",
    ms: 0,
    requestId: `${runId}-livez`,
    outcome: "ok",
  });

  const unwell = await deskhand.smoke(["--json"], { tenants: [] });
  const document = JSON.parse(unwell.stdout);
  assertEquals([unwell.code, document.ok], [1, false]);
  const failed = document.checks.filter(({ outcome }: { outcome: string }) => outcome === "failed");
  assertEquals(failed.map(({ name }: { name: string }) => name), ["token"]);
});

const BAD_FLAGS: [flags: string[], says: string][] = [
  [["--tenant", "a/b"], "--tenant is not a tenant id"],
  [["--url", "deskhand.example"], "--url must be an address"],
  [["--url", "ftp://deskhand.example"], "--url must be an address"],
  [["--url", "https://ada:secret@deskhand.example"], "--url must be an address"],
  [["--handoff", "link"], "--handoff must be none or create"],
  [["secret-without-its-flag"], "Usage: deno task smoke"],
];

for (const [flags, says] of BAD_FLAGS) {
  Deno.test(`smoke refuses ${flags.join(" ")} and calls nobody`, async () => {
    const env = { DESKHAND_TOKEN: "a.b.c" };
    const { code, stdout, stderr } = await runTask("smoke", ["--tenant", "acme", ...flags], env);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, says);
    assert(!stderr.includes("secret"));
  });
}

Deno.test("smoke needs a token", async () => {
  const { code, stderr } = await runTask("smoke", ["--tenant", "acme"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "A token is needed, in DESKHAND_TOKEN or with --token");
});
