import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, requestsPath } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { type Service, since, startService } from "../support/service_process.ts";
import { waitFor, within } from "../support/wait_for.ts";
import { startGatedDesk } from "../support/gated_desk.ts";
import { Peer } from "../support/raw_client.ts";

const CREATE = { summary: "Printer on fire", handoff: { mode: "create" } };

const pause = (milliseconds: number) =>
  new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

/** Submits over a socket of its own, which a test can close. */
async function submitRaw(service: Service, run: string): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(service.url);
  const socket = await Deno.connect({ hostname, port: Number(port) });
  const body = JSON.stringify(CREATE);
  const head = [
    `POST ${requestsPath(run)} HTTP/1.1`,
    "Host: service",
    `Authorization: Bearer ${await mintToken(AUTH_SECRET)}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
  ];
  const bytes = new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${body}`);
  for (let sent = 0; sent < bytes.length;) sent += await socket.write(bytes.subarray(sent));
  return socket;
}

async function assertCreated(service: Service, runs: string[], tickets: unknown[]): Promise<void> {
  const numbers = new Set<string>();
  for (const run of runs) {
    const request = (await service.latest(run)).body.supportRequest;
    assert(request?.handoff.status === "created", JSON.stringify(request));
    numbers.add(request.handoff.ticket.reference);
    const events = (await service.auditEvents()).filter(({ reference }) =>
      reference === request.reference
    );
    assertEquals(events.map(({ event }) => event), ["handoff.created", "request.submitted"]);
  }
  assertEquals([numbers.size, tickets.length], [runs.length, runs.length]);
}

Deno.test("a client that hangs up leaves a finalized request and one ticket", async () => {
  await using file = await temporaryPath();
  await using desk = startGatedDesk();
  await using service = await startService({ kvPath: file.path, env: desk.env });
  const socket = await submitRaw(service, "r-1");
  await desk.created(1);
  socket.close();
  assertEquals((await service.latest("r-1")).body.supportRequest?.handoff.status, "pending");
  desk.respond();
  await waitFor(
    "the handoff is final",
    () => service.latest("r-1"),
    ({ body }) => body.supportRequest?.handoff.status !== "pending",
  );
  await assertCreated(service, ["r-1"], desk.tickets);
});

Deno.test("SIGTERM finalizes all handoffs before the exit, also without their clients", async () => {
  await using file = await temporaryPath();
  await using desk = startGatedDesk();
  await using service = await startService({ kvPath: file.path, env: desk.env });
  const patient = ["r-1", "r-2", "r-3", "r-4"];
  const gone = ["r-5", "r-6", "r-7", "r-8"];
  const submissions = patient.map((run) => service.submit(CREATE, { run }));
  const sockets = await Promise.all(gone.map((run) => submitRaw(service, run)));
  await desk.created(8);
  for (const socket of sockets) socket.close();
  service.child.kill("SIGTERM");
  await service.output.line("stopping");
  await assertRejects(() => service.submit(), TypeError);
  for (const run of patient) desk.respondAbout(run);
  for (const { status, body } of await Promise.all(submissions)) {
    assertEquals([status, body.handoff.status], [201, "created"]);
  }
  // No client waits for a response any more, and the service must not exit yet.
  const ended = service.ended();
  assertEquals(await Promise.race([ended, pause(300)]), undefined);
  desk.respond();
  assertEquals(await ended, 0);
  await using restarted = await startService({ kvPath: file.path, env: desk.env });
  await assertCreated(restarted, [...patient, ...gone], desk.tickets);
});

Deno.test("a submission whose body is incomplete at SIGTERM is stored and gets its response", async () => {
  for (const framing of ["Content-Length: 18", "Transfer-Encoding: chunked"]) {
    const isChunked = framing.startsWith("Transfer");
    await using file = await temporaryPath();
    await using service = await startService({ kvPath: file.path });
    using peer = await Peer.connect(service.url);
    const head = [
      `POST ${requestsPath()} HTTP/1.1`,
      "Host: service",
      `Authorization: Bearer ${await mintToken(AUTH_SECRET)}`,
      "Content-Type: application/json",
      framing,
    ];
    await peer.write(`${head.join("\r\n")}\r\n\r\n${isChunked ? "12\r\n" : ""}{"summary":`);
    // The response to a later request shows that the first one has arrived.
    await service.call("/livez");
    service.child.kill("SIGTERM");
    await service.output.line("stopping");
    await peer.write(`"Help"}${isChunked ? "\r\n0\r\n\r\n" : ""}`);
    const { status, body } = await peer.response();
    assertEquals(status, 201, framing);
    assertEquals(await service.ended(), 0);
    await using restarted = await startService({ kvPath: file.path });
    assertEquals((await restarted.latest()).body.supportRequest, JSON.parse(body));
  }
});

Deno.test("SIGTERM does not wait for the body of a request that has its response", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const { hostname, port } = new URL(service.url);
  using socket = await Deno.connect({ hostname, port: Number(port) });
  const head = `POST ${requestsPath()} HTTP/1.1\r\nHost: service\r\nContent-Length: 100\r\n\r\n`;
  await socket.write(new TextEncoder().encode(head));
  const response = new Uint8Array(1024);
  const length = await within("the response is received", socket.read(response));
  assertStringIncludes(new TextDecoder().decode(response.subarray(0, length ?? 0)), " 401 ");
  const started = performance.now();
  assertEquals(await service.stop(), 0);
  assertLess(since(started), 8_000);
  assertEquals(service.output.lines.filter(({ level }) => level !== "INFO"), []);
});

Deno.test("a service that ran out of file descriptors finishes its handoffs and recovers", async () => {
  await using file = await temporaryPath();
  await using desk = startGatedDesk();
  await using service = await startService({
    kvPath: file.path,
    env: desk.env,
    before: "ulimit -n 100",
  });
  const submission = service.submit({ handoff: { mode: "create" } });
  await desk.created(1);
  const { hostname, port } = new URL(service.url);
  const address = { hostname, port: Number(port) };
  const sockets = await Promise.allSettled(
    Array.from({ length: 100 }, () => Deno.connect(address)),
  );
  await service.output.line("accept_failed");
  for (const socket of sockets) if (socket.status === "fulfilled") socket.value.close();
  desk.respond();
  const { status, body } = await submission;
  assertEquals([status, body.handoff.status], [201, "created"]);
  const again = await waitFor(
    "the service accepts connections",
    () => service.latest().catch(() => null),
  );
  assertEquals(again?.body.supportRequest, body);
  assertEquals(await service.stop(), 0);
});
