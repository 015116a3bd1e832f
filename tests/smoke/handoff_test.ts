import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { failures, openDeskhand } from "./operator.ts";

Deno.test("smoke passes where all is well, and leaves one ticket", async () => {
  await using deskhand = await openDeskhand();
  const { code, stdout, stderr } = await deskhand.smoke(["--handoff", "create"], {}, {
    ...deskhand.atDesk,
  });
  assertEquals([code, stderr, failures(stdout)], [0, "", []]);
  assertEquals(stdout.match(/^ok +\d+ ms {2}\S/mg)?.length, 15);
  assertStringIncludes(stdout, "15 ok, 0 failed\n");
  const [ticket, ...others] = deskhand.desk.tickets;
  assertEquals(others, []);
  assertMatch(ticket!.subject, /^\[SR-\w+\] Smoke test of Deskhand, please ignore$/);
  assertStringIncludes(stdout, `${deskhand.desk.url}/Ticket/Display.html?id=1`);
});

Deno.test("smoke makes no ticket unless it is asked for one", async () => {
  await using deskhand = await openDeskhand();
  const { code, stdout } = await deskhand.smoke();
  assertEquals(code, 0);
  assertStringIncludes(stdout, "12 ok, 0 failed\n");
  assertEquals(deskhand.desk.tickets, []);
});

Deno.test("smoke says that a service without a desk makes no tickets", async () => {
  const none = { SUPPORT_DESK_URL: "", SUPPORT_DESK_TOKEN: "", SUPPORT_DESK_QUEUE: "" };
  await using deskhand = await openDeskhand(none);
  const { code, stdout } = await deskhand.smoke(["--handoff", "create"]);
  assertEquals(code, 1);
  const [failure, ...others] = failures(stdout);
  assertEquals(others, []);
  assertStringIncludes(failure!, "a desk is configured. desk_not_configured: This Deskhand has no");
});

Deno.test("smoke says what to renew where the desk refuses the token", async () => {
  await using deskhand = await openDeskhand();
  deskhand.desk.behave("refuse");
  const { code, stdout } = await deskhand.smoke(["--handoff", "create"]);
  assertEquals(code, 1);
  const [failure, ...others] = failures(stdout);
  assertEquals(others, []);
  assertStringIncludes(
    failure!,
    "desk_refused_credentials: RT refused the token: make a new one for the desk's user, set " +
      "SUPPORT_DESK_TOKEN, restart",
  );
});

Deno.test("smoke says that a ticket may exist where the desk hangs", async () => {
  await using deskhand = await openDeskhand({ SUPPORT_DESK_TIMEOUT_MS: "300" });
  deskhand.desk.behave("hang");
  const { code, stdout } = await deskhand.smoke(["--handoff", "create"]);
  assertEquals(code, 1);
  const failure = failures(stdout).join();
  assertStringIncludes(failure, "desk_timeout: RT did not answer within SUPPORT_DESK_TIMEOUT_MS");
  assertMatch(failure, /A ticket may exist: look for SR-\w{26} at the desk/);
});

Deno.test("smoke tells that the desk drops the reference field", async () => {
  await using deskhand = await openDeskhand();
  deskhand.desk.behave("drop-field");
  const { code, stdout } = await deskhand.smoke(["--handoff", "create"], {}, deskhand.atDesk);
  assertEquals(code, 1);
  const [failure, ...others] = failures(stdout);
  assertEquals(others, []);
  assertMatch(failure!, /RT dropped the reference: the ticket.* field 'SupportRef'/);
});

Deno.test("smoke tells that the reference field has another name at the desk", async () => {
  await using deskhand = await openDeskhand({ SUPPORT_DESK_REFERENCE_FIELD: "Reference" });
  const { code, stdout } = await deskhand.smoke(["--handoff", "create"], {}, {
    ...deskhand.atDesk,
    SUPPORT_DESK_REFERENCE_FIELD: "Reference",
  });
  assertEquals(code, 1);
  assertStringIncludes(failures(stdout).join(), "the ticket has no field 'Reference'");
});

Deno.test("smoke does not pass a field that it cannot ask for", async () => {
  await using deskhand = await openDeskhand();
  const elsewhere = { ...deskhand.atDesk, SUPPORT_DESK_URL: "http://127.0.0.1:9" };
  for (const env of [{}, elsewhere]) {
    const { code, stdout } = await deskhand.smoke(["--handoff", "create"], {}, env);
    assertEquals(code, 0);
    assertMatch(stdout, /^skipped +\d+ ms {2}its custom field has the reference\n +Not possible/m);
    assertStringIncludes(stdout, "14 ok, 0 failed, 1 skipped\n");
  }
});
