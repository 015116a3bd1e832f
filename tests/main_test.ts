import { assertEquals, assertFalse, assertMatch, assertRejects } from "@std/assert";
import { AUTH_SECRET, deskEnv, requestsPath } from "./support/constants.ts";
import { temporaryPath } from "./support/kv_file.ts";
import { type RawServer, stallAfter, startRawServer } from "./support/raw_server.ts";
import { failToStart, type Service, startService } from "./support/service_process.ts";
import { waitFor, within } from "./support/wait_for.ts";

function submit(service: Service, mode: string, init: RequestInit = {}) {
  const body = JSON.stringify({ summary: "Printer on fire", handoff: { mode } });
  return service.call(requestsPath(), { method: "POST", body, ...init });
}

async function latest(service: Service) {
  return (await service.latest()).body.supportRequest;
}

function assertNoTrace(text: string): void {
  assertFalse(/^\s*at |\.ts:\d|Uncaught/m.test(text), text);
}

/** A desk that reads every call and never responds. */
function startHangingDesk(timeoutMs = 300) {
  const desk: RawServer = startRawServer(stallAfter(""));
  return {
    env: { ...deskEnv(desk), SUPPORT_DESK_TIMEOUT_MS: String(timeoutMs) },
    called: () => waitFor("the desk is called", () => desk.requests.length > 0),
    hangUp: () => desk.close(),
    [Symbol.asyncDispose]: () => desk.close(),
  };
}

Deno.test("main keeps a request over a restart, with the permissions of the task serve", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const { status, body } = await service.submit();
  assertEquals(status, 201);
  assertEquals(await latest(service), body);
  assertEquals(await service.stop(), 0);
  await using restarted = await startService({ kvPath: file.path });
  assertEquals(await latest(restarted), body);
  assertEquals((await restarted.submit()).body, await latest(restarted));
  assertEquals(await restarted.stop("SIGINT"), 0);
});

Deno.test("main logs in JSON lines where it listens and that it stops, and no secret", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  await service.latest();
  await service.stop();
  const { text } = service.output;
  const lines = text.trim().split("\n").map((line) => JSON.parse(line));
  const events = lines.map(({ event }) => event);
  assertEquals([...events.slice(0, 2), events.at(-1)], ["configured", "listening", "stopping"]);
  assertEquals(lines[1].address, service.url);
  assertFalse(text.includes(AUTH_SECRET));
});

Deno.test("main exits with every problem of a bad environment and without a stack trace", async () => {
  await using file = await temporaryPath();
  const env = { PORT: "planted", AUTH_SECRET: "planted", SUPPORT_DESK_TOKEN: "planted" };
  const { code, text } = await failToStart({ kvPath: file.path, env });
  assertEquals(code, 1);
  assertMatch(text, /^Invalid configuration /);
  for (const name of Object.keys(env)) assertMatch(text, new RegExp(`\n {2}.*${name}.*: must`));
  assertNoTrace(text);
  assertFalse(text.includes("planted"));
  await assertRejects(() => Deno.stat(file.path), Deno.errors.NotFound);
});

Deno.test("main exits with a sentence if it cannot open the file, and disturbs no other", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  assertEquals((await service.submit()).status, 201);
  for (
    const [kvPath, sentence] of [
      [file.path, /another process has it open.*Stop that process, or set another KV_PATH/],
      ["/no/such/folder/deskhand.kv", /Check that KV_PATH names a file in a folder that exists/],
    ] as const
  ) {
    const { code, text } = await failToStart({ kvPath, before: "exec 2>&1" });
    assertEquals(code, 1);
    // The last line: an operator looks there first, and the log has begun before the file is open.
    assertMatch(text.trimEnd().split("\n").at(-1)!, sentence);
    assertNoTrace(text);
  }
  assertEquals((await service.submit()).status, 201);
});

Deno.test("main names a misspelt variable of the environment, and no value", async () => {
  await using file = await temporaryPath();
  const env = { CORS_ORIGIN: "planted", PORT: "x" };
  const { code, text } = await failToStart({ kvPath: file.path, env });
  assertEquals(code, 1);
  assertEquals(
    text.match(/CORS_ORIGIN in the environment .*is it CORS_ORIGINS\?/g)?.length,
    1,
    text,
  );
  assertFalse(text.includes("planted"));
});

Deno.test("main warns of a CR or quotes around a value, as Docker reads them from a file", async () => {
  await using file = await temporaryPath();
  const env = { AUTH_SECRET: `${AUTH_SECRET}\r`, SUPPORT_DESK_LABEL: "'planted'" };
  await using service = await startService({ kvPath: file.path, env, before: "exec 2>&1" });
  await service.stop();
  const { text } = service.output;
  assertMatch(text, /^Warning: AUTH_SECRET begins or ends with a blank or a CR/m);
  assertMatch(text, /^Warning: SUPPORT_DESK_LABEL begins and ends with a quote/m);
  assertFalse(text.includes("planted"));
});

Deno.test("main exits with a sentence if it cannot listen", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  for (
    const [HOST, PORT, sentence] of [
      ["127.0.0.1", String(port), /Address already in use.*PORT to a free port/],
      ["no-such-host.invalid", "0", /Set HOST to an address of this machine/],
    ] as const
  ) {
    await using file = await temporaryPath();
    const { code, text } = await failToStart({ kvPath: file.path, env: { HOST, PORT } });
    assertEquals(code, 1);
    assertMatch(text, sentence);
    assertNoTrace(text);
  }
});

Deno.test("main finishes on SIGTERM what is at a desk that hangs, responds, and exits", async () => {
  await using file = await temporaryPath();
  await using desk = startHangingDesk();
  await using service = await startService({ kvPath: file.path, env: desk.env });
  const submission = service.submit({ handoff: { mode: "create" } });
  await desk.called();
  const stopped = service.stop();
  const { status, body } = await submission;
  assertEquals(status, 201);
  const { handoff } = body;
  assertEquals(handoff.status === "failed" && handoff.reason, "desk_timeout");
  assertEquals(handoff.status === "failed" && handoff.ticketMayExist, true);
  assertEquals(await stopped, 0);
  await assertRejects(() => service.submit(), TypeError);
  await using restarted = await startService({ kvPath: file.path, env: desk.env });
  assertEquals(await latest(restarted), body);
});

Deno.test("main stops once on two signals, and finishes what is at the desk", async () => {
  await using file = await temporaryPath();
  await using desk = startHangingDesk(5_000);
  await using service = await startService({ kvPath: file.path, env: desk.env });
  const submission = submit(service, "create");
  await desk.called();
  const stopped = service.stop("SIGINT");
  // It handles the signal when it can, and accepts no calls from then on.
  await waitFor("connections are refused", () => latest(service).then(() => false, () => true));
  const stoppedAgain = service.stop("SIGINT");
  await desk.hangUp();
  assertEquals((await submission).status, 201);
  assertEquals([await stopped, await stoppedAgain], [0, 0]);
  assertEquals(service.output.lines.filter(({ event }) => event === "stopping").length, 1);
});

Deno.test("main finishes on SIGTERM a submission whose client has gone", async () => {
  await using file = await temporaryPath();
  await using desk = startHangingDesk();
  await using service = await startService({ kvPath: file.path, env: desk.env });
  const client = new AbortController();
  const submission = submit(service, "create", { signal: client.signal });
  await desk.called();
  client.abort();
  await assertRejects(() => submission, DOMException);
  await service.latest(); // Once it responds it has noticed that the client is gone.
  assertEquals(await service.stop(), 0);
  await using restarted = await startService({ kvPath: file.path, env: desk.env });
  const handoff = (await latest(restarted))?.handoff;
  assertEquals(handoff?.status === "failed" && handoff.reason, "desk_timeout");
});

Deno.test("main has the request after it was killed during a call to the desk", async () => {
  await using file = await temporaryPath();
  await using desk = startHangingDesk(5_000);
  await using service = await startService({ kvPath: file.path, env: desk.env });
  const submission = submit(service, "create").catch(() => null);
  await desk.called();
  await service.kill();
  assertEquals(await within("the submission fails", submission), null);
  await using restarted = await startService({ kvPath: file.path, env: desk.env });
  const request = await latest(restarted);
  assertEquals([request?.summary, request?.handoff.status], ["Printer on fire", "pending"]);
});
