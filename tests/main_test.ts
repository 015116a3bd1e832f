import { assertEquals, assertFalse, assertMatch, assertRejects } from "@std/assert";
import configuration from "../deno.json" with { type: "json" };
import { AUTH_SECRET } from "./support/constants.ts";
import { temporaryPath } from "./support/kv_file.ts";
import { mintToken } from "./demo/token.ts";

const REQUESTS = "/v1/tenants/acme/support-requests";

/** Runs the command of the task `serve`. */
function spawn(path: string, env: Record<string, string> = {}): Deno.ChildProcess {
  const { HOME = "", DENO_DIR = "" } = Deno.env.toObject();
  const [, ...args] = configuration.tasks.serve.command.replaceAll("$KV_PATH", path).split(" ");
  return new Deno.Command(Deno.execPath(), {
    args,
    cwd: new URL("..", import.meta.url),
    clearEnv: true,
    env: { HOME, DENO_DIR, NO_COLOR: "1", AUTH_SECRET, KV_PATH: path, PORT: "0", ...env },
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Starts the service as its operator does, and resolves when it listens. */
async function start(path: string, env: Record<string, string> = {}) {
  const child = spawn(path, env);
  const address = Promise.withResolvers<string>();
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    let text = "";
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const found = /"address":"(http:[^"]+)"/.exec(text);
      if (found) address.resolve(found[1]!);
    }
    return text;
  };
  const said = Promise.all([collect(child.stdout), collect(child.stderr)]);
  said.then((texts) => address.reject(new Error(`it ended: ${texts.join("")}`)));
  const url = await address.promise;
  const token = await mintToken(AUTH_SECRET);

  async function call(path: string, init: RequestInit = {}) {
    const headers = { Authorization: `Bearer ${token}`, "Content-Type": "application/json" };
    const response = await fetch(url + path, { ...init, headers });
    return { status: response.status, body: await response.json() };
  }

  return {
    url,
    latest: async () => (await call(`${REQUESTS}/latest`)).body.supportRequest,
    submit: (mode: string, init: RequestInit = {}) => {
      const submission = { summary: "Printer on fire", handoff: { mode } };
      return call(REQUESTS, { method: "POST", body: JSON.stringify(submission), ...init });
    },
    /** Sends a signal and resolves with what the process said to the end. */
    end: async (signal: Deno.Signal = "SIGTERM") => {
      child.kill(signal);
      const { code } = await child.status;
      return { code, said: (await said).join("") };
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([child[Symbol.asyncDispose](), said]);
    },
  };
}

/** Starts the service where it cannot start, and resolves with what it complains of. */
async function startInVain(path: string, env: Record<string, string> = {}) {
  const { code, stderr } = await spawn(path, env).output();
  return { code, complained: new TextDecoder().decode(stderr) };
}

function assertNoTrace(text: string): void {
  assertFalse(/^\s*at |\.ts:\d|Uncaught/m.test(text), text);
}

/** A desk that takes every call and answers none. */
function startHangingDesk() {
  const asked = Promise.withResolvers<void>();
  const closing = Promise.withResolvers<void>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, async () => {
    asked.resolve();
    await closing.promise;
    return new Response(null, { status: 503 });
  });
  return {
    env: {
      SUPPORT_DESK_URL: `http://127.0.0.1:${server.addr.port}`,
      SUPPORT_DESK_TOKEN: "token",
      SUPPORT_DESK_QUEUE: "Support",
      SUPPORT_DESK_TIMEOUT_MS: "300",
    },
    asked: asked.promise,
    answer: closing.resolve,
    [Symbol.asyncDispose]: async () => {
      closing.resolve();
      await server.shutdown();
    },
  };
}

Deno.test("main keeps a request over a restart, with the permissions of the task serve", async () => {
  await using file = await temporaryPath();
  await using service = await start(file.path);
  const { status, body } = await service.submit("none");
  assertEquals(status, 201);
  assertEquals(await service.latest(), body);
  assertEquals((await service.end()).code, 0);
  await using again = await start(file.path);
  assertEquals(await again.latest(), body);
  assertEquals((await again.submit("none")).body, await again.latest());
  assertEquals((await again.end("SIGINT")).code, 0);
});

Deno.test("main says in JSON lines where it listens and that it stops, and no secret", async () => {
  await using file = await temporaryPath();
  await using service = await start(file.path);
  await service.latest();
  const { said } = await service.end();
  const lines = said.trim().split("\n").map((line) => JSON.parse(line));
  const events = lines.map(({ event }) => event);
  assertEquals([...events.slice(0, 2), events.at(-1)], ["configured", "listening", "stopping"]);
  assertEquals(lines[1].address, service.url);
  assertFalse(said.includes(AUTH_SECRET));
});

Deno.test("main exits with every problem of a bad environment and without a stack trace", async () => {
  await using file = await temporaryPath();
  const env = { PORT: "planted", AUTH_SECRET: "planted", SUPPORT_DESK_TOKEN: "planted" };
  const { code, complained } = await startInVain(file.path, env);
  assertEquals(code, 1);
  assertMatch(complained, /^Invalid configuration /);
  for (const name of Object.keys(env)) {
    assertMatch(complained, new RegExp(`\n {2}.*${name}.*: must`));
  }
  assertNoTrace(complained);
  assertFalse(complained.includes("planted"));
  await assertRejects(() => Deno.stat(file.path), Deno.errors.NotFound);
});

Deno.test("main exits with a sentence where it cannot have the file, and disturbs nobody", async () => {
  await using file = await temporaryPath();
  await using service = await start(file.path);
  for (
    const [path, sentence] of [
      [file.path, /another process has it open.*Stop that process, or set another KV_PATH/],
      ["/no/such/folder/deskhand.kv", /Check that KV_PATH names a file in a folder that exists/],
    ] as const
  ) {
    const { code, complained } = await startInVain(path);
    assertEquals(code, 1);
    assertMatch(complained, sentence);
    assertNoTrace(complained);
  }
  assertEquals((await service.submit("none")).status, 201);
});

Deno.test("main exits with a sentence where it cannot listen", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  for (
    const [HOST, PORT, sentence] of [
      [
        "127.0.0.1",
        String(taken.addr.port),
        /Address already in use.*PORT to a port that no other/,
      ],
      ["no-such-host.invalid", "0", /Set HOST to an address of this machine/],
    ] as const
  ) {
    await using file = await temporaryPath();
    const { code, complained } = await startInVain(file.path, { HOST, PORT });
    assertEquals(code, 1);
    assertMatch(complained, sentence);
    assertNoTrace(complained);
  }
});

Deno.test("main finishes and answers on SIGTERM what is at a desk that hangs, then exits", async () => {
  await using file = await temporaryPath();
  await using desk = startHangingDesk();
  await using service = await start(file.path, desk.env);
  const submission = service.submit("create");
  await Promise.race([desk.asked, submission]);
  const ending = service.end();
  const { status, body } = await submission;
  assertEquals(status, 201);
  assertEquals(body.handoff.status, "failed");
  assertEquals(body.handoff.reason, "desk_timeout");
  assertEquals(body.handoff.ticketMayExist, true);
  assertEquals((await ending).code, 0);
  await assertRejects(() => service.submit("none"), TypeError);
  await using again = await start(file.path, desk.env);
  assertEquals(await again.latest(), body);
});

Deno.test("main that is told twice to stop does so once, and finishes what is at the desk", async () => {
  await using file = await temporaryPath();
  await using desk = startHangingDesk();
  await using service = await start(file.path, { ...desk.env, SUPPORT_DESK_TIMEOUT_MS: "5000" });
  const submission = service.submit("create");
  await Promise.race([desk.asked, submission]);
  const ending = service.end("SIGINT");
  // It takes the signal when it can, and no calls from then on.
  while (await service.latest().then(() => true, () => false));
  const endingAgain = service.end("SIGINT");
  desk.answer();
  assertEquals((await submission).status, 201);
  await endingAgain;
  const { code, said } = await ending;
  assertEquals([code, said.split("Stopping").length - 1], [0, 1]);
});

Deno.test("main finishes on SIGTERM what nobody waits for any more", async () => {
  await using file = await temporaryPath();
  await using desk = startHangingDesk();
  await using service = await start(file.path, desk.env);
  const client = new AbortController();
  const submission = service.submit("create", { signal: client.signal });
  await Promise.race([desk.asked, submission]);
  client.abort();
  await assertRejects(() => submission, DOMException);
  await service.latest(); // By its answer the service has seen that the client is gone.
  assertEquals((await service.end()).code, 0);
  await using again = await start(file.path, desk.env);
  assertEquals((await again.latest()).handoff.reason, "desk_timeout");
});

Deno.test("main has the request after it was killed while the desk was asked", async () => {
  await using file = await temporaryPath();
  await using desk = startHangingDesk();
  await using service = await start(file.path, { ...desk.env, SUPPORT_DESK_TIMEOUT_MS: "5000" });
  const submission = service.submit("create").catch(() => null);
  await Promise.race([desk.asked, submission]);
  await service.end("SIGKILL");
  assertEquals(await submission, null);
  await using again = await start(file.path, desk.env);
  const { summary, handoff } = await again.latest();
  assertEquals([summary, handoff.status], ["Printer on fire", "pending"]);
});
