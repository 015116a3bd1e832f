import { assertEquals, assertLess, assertMatch, assertNotMatch, fail } from "@std/assert";
import { mintToken } from "../../demo/token.ts";
import { FakeClock } from "../../support/clock.ts";
import { AUTH_SECRET, deskEnv, TENANT } from "../../support/constants.ts";
import { openService } from "../../support/service.ts";
import { within } from "../../support/wait_for.ts";
import { MAX_BODY_BYTES, MAX_READS } from "../../../routes/http/json_body.ts";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { BODY_TIMEOUT_MS } from "../../../routes/v1/parse_submission.ts";
import { assertProblem } from "../assert_problem.ts";

const JSON_TYPE = { "Content-Type": "application/json" };

const utf8 = (text: string) => new TextEncoder().encode(text);

function sized(bytes: number): Uint8Array<ArrayBuffer> {
  const body = utf8(`{"summary":"Help"}`);
  const padded = new Uint8Array(bytes).fill(0x20);
  padded.set(body);
  return padded;
}

function inChunks(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream({
    pull(controller) {
      controller.enqueue(bytes.slice(at, at += size));
      if (at >= bytes.length) controller.close();
    },
  });
}

Deno.test("a compressed body is rejected with 415", async () => {
  await using service = await openService();
  const gzip = new Blob([`{"summary":"Help"}`]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  const response = await service.call(TENANT, {
    method: "POST",
    headers: { ...JSON_TYPE, "Content-Encoding": "gzip" },
    body: await new Response(gzip).arrayBuffer(),
  });
  await assertProblem(response, 415, "encoded-body");
});

Deno.test("a body may have 48 KiB and no byte more, with and without Content-Length", async () => {
  await using service = await openService();
  const post = (body: BodyInit, length?: string) =>
    service.call(TENANT, {
      method: "POST",
      headers: { ...JSON_TYPE, ...length !== undefined && { "Content-Length": length } },
      body,
    });
  const [most, more] = [sized(48 * 1024), sized(48 * 1024 + 1)];
  assertEquals((await post(most)).status, 201);
  assertEquals((await post(inChunks(most, 1000))).status, 201);
  assertEquals((await post(inChunks(most, 7), "5")).status, 201);
  for (const body of [more, inChunks(more, 1000), inChunks(sized(1_000_000), 65_536)]) {
    await assertProblem(await post(body), 413, "body-too-large");
  }
  await assertProblem(await post(inChunks(more, 1000), "5"), 413, "body-too-large");
  await assertProblem(await post(inChunks(most, 1000), "49153"), 413, "body-too-large");
});

Deno.test("a body that is too large is not read further", async () => {
  await using service = await openService();
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(16 * 1024).fill(0x20));
    },
  }, { highWaterMark: 0 });
  const response = await service.call(TENANT, {
    method: "POST",
    headers: JSON_TYPE,
    body: endless,
  });
  await assertProblem(response, 413, "body-too-large");
  assertEquals([pulled, endless.locked], [Math.floor(MAX_BODY_BYTES / (16 * 1024)) + 1, false]);
});

Deno.test("a full body may arrive in chunks as small as a network makes them", async () => {
  await using service = await openService();
  // TCP over the smallest MTU that IPv4 allows, 576 bytes, has segments of 536 bytes.
  for (const pieceBytes of [500, Math.ceil(MAX_BODY_BYTES / (MAX_READS - 1))]) {
    const body = inChunks(sized(MAX_BODY_BYTES), pieceBytes);
    const response = await service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
    assertEquals(response.status, 201, `${pieceBytes}`);
  }
});

Deno.test("a body in more than 512 chunks is 400, and is not read further", async () => {
  await using service = await openService();
  let pulled = 0;
  const drops = new ReadableStream({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1).fill(0x20));
    },
  }, { highWaterMark: 0 });
  const response = await service.call(TENANT, { method: "POST", headers: JSON_TYPE, body: drops });
  const { detail } = await assertProblem(response, 400, "malformed-request");
  assertMatch(detail, /too many chunks/);
  assertEquals([pulled, drops.locked], [MAX_READS, false]);
});

const nested = (open: string, close: string, depth: number) =>
  open.repeat(depth) + close.repeat(depth);

for (
  const [name, body, says] of [
    ["empty", "", /JSON/],
    ["blank", " \n", /JSON/],
    ["truncated", `{"summary":"Help"`, /JSON/],
    ["two objects", `{"summary":"Help"}{}`, /JSON/],
    ["JavaScript", `{summary:'Help'}`, /JSON/],
    ["NaN", `{"summary":NaN}`, /JSON/],
    ["a bare control character", `{"summary":"a\nb"}`, /JSON/],
    ["a NUL", `{"summary":"Help"}\0`, /JSON/],
    ["invalid UTF-8", new Uint8Array([...utf8(`{"summary":"`), 0xff, ...utf8(`"}`)]), /UTF-8/],
    ["a surrogate in UTF-8", new Uint8Array([0x22, 0xed, 0xa0, 0x80, 0x22]), /UTF-8/],
    ["UTF-16", new Uint8Array([0xff, 0xfe, 0x7b, 0, 0x7d, 0]), /UTF-8/],
    ["__proto__ at the top", `{"summary":"Help","__proto__":{"severity":"low"}}`, /__proto__/],
    ["__proto__ in contact", `{"summary":"Help","contact":{"__proto__":{}}}`, /__proto__/],
    ["__proto__ in handoff", `{"summary":"Help","handoff":{"__proto__":1}}`, /__proto__/],
    ["__proto__ in diagnostics", `{"summary":"Help","diagnostics":{"__proto__":"x"}}`, /__proto__/],
    ["__proto__ in escapes", `{"summary":"Help","\\u005f_proto__":1}`, /__proto__/],
    ["one key twice", `{"summary":"A","summary":"B"}`, /^The key "summary" occurs twice in one/],
    ["one key twice below", `{"handoff":{"mode":"none","mode" : "create"}}`, /"mode" occurs twice/],
    ["one key twice in escapes", `{"summary":"A","s\\u0075mmary":"B"}`, /"summary" occurs twice/],
  ] as [string, BodyInit, RegExp][]
) {
  Deno.test(`a body is rejected with 400 if it is ${name}`, async () => {
    await using service = await openService();
    const response = await service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
    const { detail } = await assertProblem(response, 400, "malformed-json");
    assertMatch(detail, says);
    assertNotMatch(detail, /position|token|Help/);
  });
}

Deno.test("a deeply nested body of any form is rejected and crashes nothing", async () => {
  await using service = await openService();
  for (
    const body of [
      nested("[", "]", 24_000),
      "[".repeat(48_000),
      nested(`{"summary":`, "}", 4_000),
      `{"summary":"Help","diagnostics":${nested("[", "]", 24_000)}}`,
    ]
  ) {
    const response = await service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
    assertMatch(String(response.status), /^(400|422)$/);
    await response.body?.cancel();
  }
});

Deno.test("JSON that is nested too deeply is 400, and says so", async () => {
  await using service = await openService();
  // With this text, because that makes the parser call a reviver, recursively.
  const body = `[${nested("[", "]", Math.floor(MAX_BODY_BYTES / 2) - 10)},"__proto__"]`;
  const response = await service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
  const { detail } = await assertProblem(response, 400, "malformed-json");
  assertMatch(detail, /nested too deeply/);
});

for (
  const [sent, stored] of [
    ["12345678901234567890", "12345678901234567890"],
    ["1234567890123456789", "1234567890123456789"],
    ["-9007199254740993", "-9007199254740993"],
    ["9007199254740991", "9007199254740991"],
    ["123456789012.3456789", "123456789012.3456789"],
    ["0.12345678901234567", "0.12345678901234567"],
    ["1e400", "1e400"],
    ["1E-400", "1E-400"],
    ["1e21", "1e+21"],
    ["1.50", "1.5"],
    ["0", "0"],
  ] as const
) {
  Deno.test(`the number ${sent} in diagnostics is stored with all of its digits`, async () => {
    await using service = await openService();
    const body = `{"summary":"Help","diagnostics":{"id":${sent}}}`;
    const post = { method: "POST", headers: JSON_TYPE, body };
    assertEquals((await service.call(TENANT, post)).status, 201);
    const [entry] = await Array.fromAsync(
      service.kv.list<{ diagnostics: unknown }>({ prefix: ["tenant"] }),
    );
    assertEquals(entry!.value.diagnostics, { id: stored });
  });
}

for (
  const [field, detail] of [
    ["", "must be an object"],
    ["summary", "must be a string"],
    ["description", "must be a string"],
    ["severity", "must be one of low, normal, high, critical"],
    ["contact", "must be an object"],
    ["contact/name", "must be a string"],
    ["contact/email", "must be a string"],
    ["diagnostics", "must be an object"],
    ["handoff", "must be an object"],
    ["handoff/mode", "must be one of none, create, link"],
    ["handoff/ticket", "must be a string"],
  ] as const
) {
  Deno.test(`a number is not accepted as ${field || "a body"}, however many digits it has`, async () => {
    await using service = await openService();
    for (const number of ["42", "12345678901234567890", "0.12345678901234567", "-1e400"]) {
      const submission: Record<string, unknown> = { summary: "Help" };
      const [name = "", inner] = field.split("/");
      const others = name === "handoff" ? { mode: "link", ticket: "42" } : {};
      submission[name] = inner === undefined ? "NUMBER" : { ...others, [inner]: "NUMBER" };
      const body = field === "" ? number : JSON.stringify(submission).replace('"NUMBER"', number);
      const response = await service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
      const { errors } = await assertProblem(response, 422, "validation");
      const pointer = field === "" ? "#" : `#/${field}`;
      assertEquals(errors, [{ pointer, detail }], `${field}: ${number}`);
    }
    assertEquals(await Array.fromAsync(service.kv.list({ prefix: ["tenant"] })), []);
  });
}

Deno.test("a list of long numbers in diagnostics is rejected like any list", async () => {
  await using service = await openService();
  const body = `{"summary":"Help","diagnostics":{"ids":[12345678901234567890]}}`;
  const response = await service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
  const { errors } = await assertProblem(response, 422, "validation");
  assertEquals(errors?.map(({ pointer }) => pointer), ["#/diagnostics/ids"]);
});

Deno.test("a resume ignores a body that is a long number", async () => {
  await using service = await openService();
  await service.call(TENANT, { json: { summary: "Help" } });
  const resume = { method: "POST", headers: JSON_TYPE, body: "12345678901234567890" };
  assertEquals((await service.call(`${TENANT}/latest/resume`, resume)).status, 200);
});

Deno.test("a number with many digits takes no quadratic time", async () => {
  await using service = await openService();
  const body = `{"summary":"Help","diagnostics":{"id":1${"0".repeat(40_000)}1}}`;
  const started = performance.now();
  const response = await service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
  assertEquals(response.status, 201);
  assertLess(performance.now() - started, 500);
});

Deno.test("a body may start with a byte order mark, and contain __proto__ in a text", async () => {
  await using service = await openService();
  const response = await service.call(TENANT, {
    method: "POST",
    headers: JSON_TYPE,
    body: `\ufeff{"summary":"What is __proto__?"}`,
  });
  assertEquals((await response.json()).summary, "What is __proto__?");
});

/** Returns a body that stalls after its first chunk until the test ends it. */
function drip() {
  const waiting = Promise.withResolvers<void>();
  let end = () => {};
  const body = new ReadableStream({
    start(controller) {
      controller.enqueue(utf8(`{"summary":`));
      end = () => {
        controller.enqueue(utf8(`"Help"}`));
        controller.close();
      };
    },
    pull: () => (waiting.resolve(), new Promise(() => {})),
  });
  return { body, waiting: waiting.promise, end: () => end() };
}

Deno.test("a body that never ends is 408 after ten seconds", async () => {
  const clock = new FakeClock({ timers: "manual" });
  await using service = await openService({ clock });
  const { body, waiting } = drip();
  const response = service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
  await Promise.race([waiting, response]);
  clock.advance(BODY_TIMEOUT_MS);
  const { detail } = await assertProblem(await response, 408, "body-timeout");
  assertMatch(detail, /Nothing was stored/);
  assertEquals(body.locked, false);
});

Deno.test("each body has ten seconds to arrive, counted from its own request", async () => {
  const clock = new FakeClock({ timers: "manual" });
  await using service = await openService({ clock });
  const start = async () => {
    const { body, waiting, end } = drip();
    const response = service.call(TENANT, { method: "POST", headers: JSON_TYPE, body });
    await Promise.race([waiting, response]);
    return { response, end };
  };
  const first = await start();
  clock.advance(1);
  const second = await start();
  clock.advance(BODY_TIMEOUT_MS - 1);
  await assertProblem(await first.response, 408, "body-timeout");
  second.end();
  assertEquals((await second.response).status, 201);
});

/** Sends the head and the start of a body over a socket, and waits until it is being read. */
async function startBody() {
  const clock = new FakeClock({ now: Date.now(), timers: "manual" });
  const reading = Promise.withResolvers<void>();
  const { deadline } = clock;
  clock.deadline = (milliseconds) => {
    if (milliseconds === BODY_TIMEOUT_MS) reading.resolve();
    return deadline(milliseconds);
  };
  const service = await openService({ clock });
  const responded = Promise.withResolvers<number>();
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const response = await service.app.fetch(request);
      responded.resolve(response.status);
      return response;
    },
  );
  const client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const head = [
    `POST ${TENANT} HTTP/1.1`,
    "Host: deskhand.example",
    `Authorization: Bearer ${await mintToken(AUTH_SECRET)}`,
    "Content-Type: application/json",
    "Content-Length: 1000",
  ];
  await client.write(utf8(`${head.join("\r\n")}\r\n\r\n{"summary":`));
  await within("the body is being read", Promise.race([reading.promise, responded.promise]));
  return { clock, service, server, client, responded: responded.promise };
}

Deno.test("a client that sends its body too slowly can read the 408", async () => {
  const { clock, service, server, client } = await startBody();
  clock.advance(BODY_TIMEOUT_MS);
  const buffer = new Uint8Array(4096);
  let response = "";
  while (!response.endsWith("}")) {
    const length = await within("the response is received", client.read(buffer));
    response += new TextDecoder().decode(buffer.subarray(0, length ?? fail()));
  }
  assertMatch(response, /^HTTP\/1\.1 408 /);
  assertMatch(response, /\/problems\/body-timeout/);
  assertMatch(response, /\r\nconnection: close\r\n/i);
  client.close();
  await server.shutdown();
  await service[Symbol.asyncDispose]();
});

Deno.test("a client that disconnects during its body causes no error in the log", async () => {
  const { service, server, client, responded } = await startBody();
  client.close();
  assertEquals(await responded, 400);
  await server.shutdown();
  assertEquals(service.lines.filter(({ level }) => level !== "info"), []);
  await service[Symbol.asyncDispose]();
});

Deno.test("no timer of a submission or a resume outlives it", async () => {
  const desk = startFakeDesk();
  const clock = new FakeClock({ timers: "manual" });
  await using service = await openService({
    clock,
    env: { ...deskEnv(desk), SUPPORT_DESK_MAX_CONCURRENCY: "1" },
  });
  const submission = { json: { summary: "Help", handoff: { mode: "create" } } };
  // The second waits for the first at the desk.
  const responses = await Promise.all([
    service.call(TENANT, submission),
    service.call(TENANT, submission),
  ]);
  assertEquals(responses.map(({ status }) => status), [201, 201]);
  assertEquals((await service.call(`${TENANT}/latest/resume`, { method: "POST" })).status, 200);
  assertEquals((await service.call(TENANT, { json: {} })).status, 422);
  assertEquals(clock.pendingDeadlines, 0);
  await desk.close();
});
