/** The image as Docker runs it: `install.sh` installs what this needs. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { AUTH_SECRET, deskEnv, requestsPath } from "../../support/constants.ts";
import { freePort } from "../../support/raw_server.ts";
import { waitFor } from "../../support/wait_for.ts";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { mintToken } from "../../demo/token.ts";
import { buildImage } from "../../release/release.ts";
import { BASES, type Engine, ROOT, startEngine } from "./engine.ts";

/** As README.md and compose.yaml run it. */
const HARDENED = ["--read-only", "--cap-drop=ALL", "--security-opt=no-new-privileges"];
const MAX_MB = 10;

let engine: Engine;

Deno.test.beforeAll(async () => {
  engine = await startEngine();
});

Deno.test.afterAll(async () => {
  await engine[Symbol.asyncDispose]();
});

/** Starts a container on the host's network; resolves when it can store. */
async function start(volume: string, env: Record<string, string> = {}) {
  const port = String(freePort());
  const variables = { AUTH_SECRET, HOST: "127.0.0.1", PORT: port, ...env };
  const options = Object.entries(variables).map(([name, value]) => `--env=${name}=${value}`);
  const id = await engine.succeed(
    ...["run", "--detach", "--network=host", "--health-interval=1s", ...HARDENED],
    ...[`--volume=${volume}:/data`, ...options, "deskhand"],
  );
  const url = `http://127.0.0.1:${port}`;
  await waitFor(
    "the container is ready",
    () => fetch(`${url}/readyz`).then(async (r) => (await r.body?.cancel(), r.ok), () => false),
  );
  return {
    id,
    async call(path: string, json?: unknown) {
      const response = await fetch(url + path, {
        method: json === undefined ? "GET" : "POST",
        headers: {
          Authorization: `Bearer ${await mintToken(AUTH_SECRET)}`,
          "Content-Type": "application/json",
        },
        ...json !== undefined && { body: JSON.stringify(json) },
      });
      return { status: response.status, body: await response.json() };
    },
    /** Stops it as `docker stop` does, and resolves with the exit code. */
    async stop(): Promise<number> {
      await engine.succeed("stop", "--time=15", id);
      return Number(await engine.succeed("inspect", "--format={{.State.ExitCode}}", id));
    },
  };
}

/** Runs a script in a container beside the service; resolves with its output. */
async function evaluate(id: string, script: string): Promise<string> {
  return await engine.succeed("exec", id, "deno", "eval", script);
}

Deno.test("image: a read-only container without privileges stores, over a restart", async () => {
  const container = await start("restart");
  const { status, body } = await container.call(requestsPath(), { summary: "Fire" });
  assertEquals(status, 201);
  const write = (path: string) =>
    `try { Deno.writeTextFileSync("${path}", ""); console.log(1) }
    catch (error) { console.log(error.code) }`;
  assertEquals(await evaluate(container.id, "console.log(Deno.uid(), Deno.gid())"), "65532 65532");
  assertEquals(await evaluate(container.id, write("/srv/deskhand/new")), "EROFS");
  assertEquals(await evaluate(container.id, write("/tmp/new")), "EROFS");
  const mode = `console.log((Deno.statSync("/data").mode & 0o777).toString(8))`;
  assertEquals(await evaluate(container.id, mode), "700");
  assertEquals(await container.stop(), 0);

  const restarted = await start("restart");
  assertEquals((await restarted.call(`${requestsPath()}/latest`)).body.supportRequest, body);
  assertEquals(await restarted.stop(), 0);
});

Deno.test("image: its tasks test the service up to a ticket, and erase a tenant", async () => {
  const desk = startFakeDesk();
  try {
    const container = await start("tasks", { ...deskEnv(desk) });
    const task = (...args: string[]) =>
      engine.succeed("exec", container.id, "deno", "task", "--quiet", ...args);
    assertMatch(await task("config"), /Request Tracker at http/);
    assertMatch(await task("token"), /^[\w-]+\.[\w-]+\.[\w-]+$/);
    const smoke = await task("smoke", "--tenant", "acme", "--handoff", "create");
    assertMatch(smoke, /^\d+ ok, 0 failed$/m);
    assertEquals(desk.tickets.length, 1);
    assertEquals(await container.stop(), 0);

    const erased = await engine.succeed(
      ...["run", "--rm", "--network=host", ...HARDENED, "--volume=tasks:/data"],
      ...[`--env=AUTH_SECRET=${AUTH_SECRET}`, "--entrypoint=deno", "deskhand"],
      ...["task", "--quiet", "erase", "--tenant", "acme", "--yes"],
    );
    assertMatch(erased, /2 {2}support requests/);
    assertMatch(erased, /Tickets at the desk, which are not deleted: 1$/m);
  } finally {
    await desk.close();
  }
});

Deno.test("image: docker stop waits for the submission that is at the desk", async () => {
  const desk = startFakeDesk();
  try {
    desk.behave("slow");
    const container = await start("stop", {
      ...deskEnv(desk),
    });
    const submission = container.call(requestsPath(), {
      summary: "Fire",
      handoff: { mode: "create" },
    });
    const audit = "/v1/tenants/acme/audit-events";
    await waitFor(
      "the request is stored",
      () => container.call(audit),
      ({ body }) => body.events.length === 1,
    );
    const stopped = container.stop();
    assertEquals((await submission).body.handoff.status, "created");
    assertEquals(await stopped, 0);
  } finally {
    await desk.close();
  }
});

Deno.test("image: Docker marks a service that cannot store as unhealthy", async () => {
  const health = async (id: string) =>
    await engine.succeed("inspect", "--format={{.State.Health.Status}}", id);
  const container = await start("health");
  await waitFor("Docker sees it healthy", async () => await health(container.id) === "healthy");
  await container.stop();

  // Nothing listens at the URL of the KV Connect server.
  const id = await engine.succeed(
    ...["run", "--detach", "--network=host", ...HARDENED, "--health-interval=1s"],
    ...["--health-start-period=1s", "--health-retries=2", `--env=AUTH_SECRET=${AUTH_SECRET}`],
    ...[`--env=PORT=${freePort()}`, `--env=KV_PATH=http://127.0.0.1:${freePort()}`],
    ...["--env=DENO_KV_ACCESS_TOKEN=a token for tests", "deskhand"],
  );
  await waitFor("Docker sees it unhealthy", async () => await health(id) === "unhealthy");
  await engine.succeed("rm", "--force", id);
});

Deno.test("image: a folder that its user cannot write causes a message, not a stack trace", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const { code, stderr } = await engine.run(
      ...["run", "--rm", "--network=host", ...HARDENED, `--env=AUTH_SECRET=${AUTH_SECRET}`],
      ...[`--env=PORT=${freePort()}`, `--volume=${folder}:/data`, "deskhand"],
    );
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /KV_PATH names a file in a folder that exists and that this process may write/,
    );
    assert(!/^\s+at /m.test(stderr), stderr);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("image: it contains the bundle, its licenses, and nothing else that is ours", async () => {
  const script = `
    const files = (path) => [...Deno.readDirSync(path)].flatMap(({ name, isDirectory }) =>
      isDirectory ? files(path + "/" + name) : [path + "/" + name]);
    const bytes = (path) => files(path).reduce((sum, file) => sum + Deno.lstatSync(file).size, 0);
    console.log(JSON.stringify({
      files: files("."),
      megabytes: [bytes("."), bytes(Deno.env.get("DENO_DIR"))].map((bytes) => bytes / 1e6),
      packages: files(Deno.env.get("DENO_DIR") + "/npm"),
    }))`;
  const output = await engine.succeed(
    "run",
    "--rm",
    "--entrypoint=deno",
    "deskhand",
    "eval",
    script,
  );
  const { files, megabytes, packages } = JSON.parse(output);
  const isChunk = (name: string) => /^\.\/[\w-]+-[A-Z0-9]{8}\.js$/.test(name);
  const isLicense = (name: string) => name.startsWith("./licenses/");
  const others = files.filter((name: string) => !isChunk(name) && !isLicense(name));
  assertEquals(others.sort(), [
    "./LICENSE",
    "./config/deploy/health.js",
    "./config/report/main.js",
    "./deno.json",
    "./main.js",
    "./tests/demo/print_token.js",
    "./tests/smoke/main.js",
  ]);
  for (const name of ["hono", "jose", "swagger-ui-dist", "zod", "@opentelemetry/api"]) {
    assert(files.some((file: string) => file.startsWith(`./licenses/${name}/`)), name);
  }
  assertEquals(packages, []);
  const [code, cache] = megabytes;
  assert(code + cache < MAX_MB, `${code} and ${cache} MB`);
  console.log(`code ${code.toFixed(1)} MB, compiled code ${cache.toFixed(1)} MB`);
});

Deno.test("image: a release has it in one file, from which Docker loads it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const printed: string[] = [];
    await buildImage(ROOT, "0.0.0", {
      prefix: `${folder}/deskhand-0.0.0-image`,
      print: (line) => printed.push(line),
      env: { ...engine.env, ...BASES },
    });
    const names = (await Array.fromAsync(Deno.readDir(folder))).map(({ name }) => name);
    assertEquals(printed, []);
    assertEquals(names.length, 1);
    assertMatch(names[0]!, /^deskhand-0\.0\.0-image-linux-(amd64|arm64)\.tar\.gz$/);
    await engine.succeed("rmi", "deskhand:0.0.0");
    const loaded = await engine.succeed("load", "--input", `${folder}/${names[0]}`);
    assertMatch(loaded, /deskhand:0\.0\.0/);
    const [same, released] = await Promise.all(
      ["deskhand", "deskhand:0.0.0"].map((tag) =>
        engine.succeed("image", "inspect", "--format={{.Id}}", tag)
      ),
    );
    assertEquals(released, same, "it is the image that the other tests test");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
