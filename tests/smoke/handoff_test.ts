import { assertEquals, assertMatch, assertNotMatch, assertStringIncludes } from "@std/assert";
import { diagnose, failures, openDeskhand } from "./operator.ts";

Deno.test("smoke passes if everything works, and leaves one ticket", async () => {
  await using deskhand = await openDeskhand();
  const { code, stdout, stderr } = await deskhand.smoke(["--handoff", "create"], {}, {
    ...deskhand.atDesk,
  });
  assertEquals([code, failures(stdout)], [0, []]);
  assertMatch(stderr, /^Configuration: SUPPORT_DESK_URL, .* from the environment\n/);
  assertStringIncludes(stdout, "23 ok, 0 failed\n");
  assertEquals(stdout.match(/^ok +\d+ ms {2}\S/mg)?.length, 23);
  const [ticket, ...others] = deskhand.desk.tickets;
  assertEquals(others, []);
  assertMatch(ticket!.subject, /^\[SR-\w+\] Smoke test of Deskhand, please ignore$/);
  assertStringIncludes(stdout, `${deskhand.desk.url}/Ticket/Display.html?id=1`);
});

Deno.test("smoke creates no ticket by default, and checks the desk without one", async () => {
  await using deskhand = await openDeskhand();
  for (const [env, count] of [[{}, 13], [deskhand.atDesk, 20]] as const) {
    const { code, stdout } = await deskhand.smoke([], {}, env);
    assertEquals(code, 0, stdout);
    assertStringIncludes(stdout, `${count} ok, 0 failed\n`);
  }
  assertEquals(deskhand.desk.tickets, []);
});

Deno.test("smoke reports a service without a desk", async () => {
  const none = { SUPPORT_DESK_URL: "", SUPPORT_DESK_TOKEN: "", SUPPORT_DESK_QUEUE: "" };
  await using deskhand = await openDeskhand(none);
  const [failure, ...others] = await diagnose({ url: deskhand.url, handoff: "create" });
  assertEquals(others, []);
  assertEquals(failure!.cause, "This Deskhand has no desk (desk_not_configured)");
  assertStringIncludes(failure!.next, "Set SUPPORT_DESK_URL");
  const [other] = await diagnose({
    url: deskhand.url,
    handoff: "create",
    env: deskhand.atDesk,
  });
  assertStringIncludes(other!.next, "SUPPORT_DESK_URL is set here: restart Deskhand");
});

Deno.test("smoke explains a failed handoff by its reason without the desk's settings", async () => {
  await using deskhand = await openDeskhand();
  deskhand.desk.behave("refuse");
  const { code, stdout } = await deskhand.smoke(["--handoff", "create"]);
  assertEquals(code, 1);
  const [failure, ...others] = failures(stdout);
  assertEquals(others, []);
  assertStringIncludes(failure!.cause, "desk_refused_credentials: RT rejected the token");
  assertStringIncludes(failure!.next, "Check SUPPORT_DESK_TOKEN");
});

Deno.test("smoke refers to the cause that it has found at the desk", async () => {
  await using deskhand = await openDeskhand();
  deskhand.desk.behave("refuse");
  const found = await diagnose({ url: deskhand.url, handoff: "create", env: deskhand.atDesk });
  assertEquals(found.map(({ title }) => title), [
    "RT accepts the token",
    "Deskhand creates a ticket at RT",
  ]);
  assertStringIncludes(found[0]!.cause, "Token: RT does not know the token in SUPPORT_DESK_TOKEN");
  assertEquals(found[1]!.next, "See what failed above");
});

Deno.test("smoke recognizes a Deskhand that runs with older settings", async () => {
  await using deskhand = await openDeskhand({ SUPPORT_DESK_TOKEN: "an-old-token" });
  const [failure, ...others] = await diagnose({
    url: deskhand.url,
    handoff: "create",
    env: deskhand.atDesk,
  });
  assertEquals(others, []);
  assertStringIncludes(failure!.next, "RT works with this machine's settings: restart Deskhand");
});

Deno.test("smoke advises no restart if the desk rejects tickets or fails", async () => {
  await using deskhand = await openDeskhand();
  for (const [mode, reason] of [["reject", "desk_rejected"], ["error", "desk_error"]] as const) {
    deskhand.desk.behave(mode);
    const [failure, ...others] = await diagnose({
      url: deskhand.url,
      handoff: "create",
      env: deskhand.atDesk,
    });
    assertEquals(others, []);
    assertStringIncludes(failure!.cause, reason);
    assertNotMatch(failure!.next, /restart/);
  }
});

Deno.test("smoke says that a ticket may exist if the desk hangs", async () => {
  await using deskhand = await openDeskhand({ SUPPORT_DESK_TIMEOUT_MS: "300" });
  deskhand.desk.behave("hang");
  const [failure] = await diagnose({ url: deskhand.url, handoff: "create" });
  assertStringIncludes(failure!.cause, "desk_timeout: RT did not respond within");
  assertMatch(failure!.cause, /A ticket may exist: search RT for SR-\w{26}$/);
});

Deno.test("smoke reports that the desk drops the reference field", async () => {
  await using deskhand = await openDeskhand();
  deskhand.desk.behave("drop-field");
  const found = await diagnose({ url: deskhand.url, handoff: "create", env: deskhand.atDesk });
  const [planned, actual, ...others] = found.map(({ cause }) => cause);
  assertEquals(others, []);
  assertStringIncludes(planned!, 'RT will drop the reference, because the queue "Support" has no');
  assertStringIncludes(planned!, '(SUPPORT_DESK_REFERENCE_FIELD is "SupportRef")');
  assertStringIncludes(actual!, "RT dropped the reference");
});

Deno.test("smoke names the reference field as it is called at the desk", async () => {
  const env = { SUPPORT_DESK_REFERENCE_FIELD: "supportref" };
  await using deskhand = await openDeskhand(env);
  const [failure] = await diagnose({ url: deskhand.url, env: { ...deskhand.atDesk, ...env } });
  assertEquals(
    failure!.cause,
    'Field: its name at RT is "SupportRef" (SUPPORT_DESK_REFERENCE_FIELD is "supportref")',
  );
});

Deno.test("smoke does not pass a reference field that it cannot read", async () => {
  await using deskhand = await openDeskhand();
  const { code, stdout } = await deskhand.smoke(["--handoff", "create"]);
  assertEquals(code, 0);
  assertMatch(
    stdout,
    /^skipped +\d+ ms {2}RT can be reached\n +RT is not checked from here\. Set/m,
  );
  assertMatch(stdout, /^skipped +\d+ ms {2}the ticket's custom field has the reference\n/m);
  assertStringIncludes(stdout, "15 ok, 0 failed, 2 skipped\n");
});
