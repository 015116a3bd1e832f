/**
 * The production entry with what Deno Deploy gives it, over a file that stands for the app's
 * database. `tests/kv_connect/deno_deploy_test.ts` runs it over a server, as Deploy does.
 */
import { assert, assertEquals, assertLess, assertMatch } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { startFakeDesk } from "../demo/fake_desk.ts";
import { AUTH_SECRET, requestsPath } from "../support/constants.ts";
import {
  DEPLOY_ENV,
  deployRuntime,
  deskEnvOnDeploy,
  startOnDeploy,
} from "../support/deno_deploy.ts";
import { memoryOf } from "../support/memory.ts";
import { command, complete, registryEnv, ROOT } from "../support/process.ts";
import type { Service } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";

const CREATE = { handoff: { mode: "create" } };
/** The time from SIGINT to SIGKILL on Deploy. */
const KILLED_AFTER_MS = 5_000;
/** The smallest limit in any page of Deploy's documentation; apps now have 768 MB. */
const MAX_MEMORY_MB = 512;

type Desk = ReturnType<typeof startFakeDesk>;
type Start = (env?: Record<string, string>) => Promise<Service>;

async function withDesk(run: (desk: Desk, start: Start) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  const desk = startFakeDesk();
  const database = `${folder}/kv.sqlite`;
  try {
    await run(
      desk,
      (env) => startOnDeploy({ database, env: { ...deskEnvOnDeploy(desk), ...env } }),
    );
  } finally {
    await desk.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("Deploy: a submission becomes a ticket, and is still stored after a restart", () =>
  withDesk(async (desk, start) => {
    await using service = await start();
    assertEquals((await service.call("/readyz")).body, { status: "ready" });
    const { status, body } = await service.submit(CREATE, { key: "k-1" });
    assertEquals([status, body.handoff.status, desk.tickets.length], [201, "created", 1]);
    const replay = await service.submit(CREATE, { key: "k-1" });
    assertEquals([replay.headers.get("Idempotent-Replayed"), replay.body], ["true", body]);
    assertEquals((await service.latest()).body.supportRequest, body);
    assertEquals((await service.auditEvents()).length, 2);
    assertEquals(await service.stop("SIGINT"), 0);

    await using again = await start();
    const later = await again.submit(CREATE, { key: "k-1" });
    assertEquals([later.headers.get("Idempotent-Replayed"), later.body], ["true", body]);
    assertEquals((await again.latest()).body.supportRequest, body);
    assertEquals(desk.tickets.length, 1);
  }));

Deno.test("Deploy: the documentation, the OpenAPI document and the panel are served", () =>
  withDesk(async (_desk, start) => {
    await using service = await start();
    const integrity = await (await fetch(`${service.url}/panel/integrity.json`)).json();
    for (
      const [path, type, content] of [
        ["/", /^text\/html/, /href="docs"/],
        ["/livez", /^application\/json/, /live/],
        ["/readyz", /^application\/json/, /ready/],
        ["/docs/home.css", /^text\/css/, /main/],
        ["/docs", /^text\/html/, /schema-Submission/],
        ["/docs/guide.css", /^text\/css/, /main/],
        ["/docs/guide.js", /^text\/javascript/, /clipboard/],
        ["/docs/explorer", /^text\/html/, /swagger-ui/],
        ["/docs/explorer.css", /^text\/css/, /opblock/],
        ["/docs/explorer.js", /^text\/javascript/, /SwaggerUIBundle/],
        ["/docs/swagger-ui-bundle.js", /^text\/javascript/, /SwaggerUIBundle/],
        ["/docs/swagger-ui.css", /^text\/css/, /\.swagger-ui/],
        ["/openapi.json", /^application\/json/, /"openapi":\s*"3\.1/],
        ["/panel.js", /^text\/javascript/, /support-request-panel/],
        [integrity.path, /^text\/javascript/, /support-request-panel/],
        ["/panel/locales/de.json", /^application\/json/, /Anfrage/],
        ["/problems/store-unavailable", /^text\/plain/, /store/],
      ] as const
    ) {
      const response = await fetch(service.url + path);
      assertEquals([path, response.status], [path, 200]);
      assertMatch(response.headers.get("Content-Type")!, type);
      assertMatch(await response.text(), content);
    }
  }));

Deno.test("Deploy: a handoff that is cut off can be resumed in the next process", () =>
  withDesk(async (desk, start) => {
    const env = { SUPPORT_DESK_TIMEOUT_MS: "1000" };
    desk.behave("hang-after-create");
    await using service = await start(env);
    const submission = service.submit(CREATE).catch(() => null);
    await waitFor("the desk has a ticket", () => desk.tickets.length === 1);
    await service.kill();
    assertEquals(await submission, null);

    desk.behave("normal");
    await using next = await start(env);
    const { body } = await next.latest();
    assertEquals(body.supportRequest?.handoff.status, "pending");
    const resume = () => next.call(`${requestsPath()}/latest/resume`, { method: "POST" });
    const early = await resume();
    assertEquals(early.status, 409);
    const waitMs = Number(early.headers.get("Retry-After")) * 1_000;
    assert(waitMs > 0 && waitMs <= 15_000, `it says to wait ${waitMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    const resumed = await resume();
    assertEquals(resumed.status, 200);
    const { status, ticket } = resumed.body.handoff as { status: string; ticket: unknown };
    assertEquals([status, ticket], ["created", {
      reference: "1",
      url: `${desk.url}/Ticket/Display.html?id=1`,
    }]);
    assertEquals(desk.tickets.length, 1);
  }));

Deno.test("Deploy: a handoff in flight at SIGINT is finished before SIGKILL", () =>
  withDesk(async (desk, start) => {
    desk.behave("hang-after-create");
    await using service = await start({ SUPPORT_DESK_TIMEOUT_MS: "2000" });
    const submission = service.submit(CREATE);
    await waitFor("the desk has a ticket", () => desk.tickets.length === 1);
    const kill = setTimeout(() => service.child.kill("SIGKILL"), KILLED_AFTER_MS);
    const code = await service.stop("SIGINT");
    clearTimeout(kill);
    const { status, body } = await submission;
    assertEquals([code, status, body.handoff.status], [0, 201, "failed"]);
  }));

Deno.test("Deploy: 300 submissions and the documentation fit into its memory", () =>
  withDesk(async (desk, start) => {
    await using service = await start();
    await (await fetch(`${service.url}/docs/swagger-ui-bundle.js`)).text();
    for (let round = 0; round < 10; round++) {
      const description = "x".repeat(8_000);
      const all = Array.from({ length: 30 }, () => service.submit({ ...CREATE, description }));
      for (const { status } of await Promise.all(all)) assertEquals(status, 201);
    }
    assertEquals(desk.tickets.length, 300);
    const peak = memoryOf(service.child.pid, "VmHWM");
    console.log(`peak memory ${Math.round(peak)} MB`);
    assertLess(peak, MAX_MEMORY_MB);
  }));

Deno.test("Deploy: the platform may choose an address that is not a TCP port", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/socket`;
  using client = Deno.createHttpClient({ proxy: { transport: "unix", path } });
  try {
    const env = { DENO_SERVE_ADDRESS: `unix:${path}` };
    await using _service = await startOnDeploy({ database: `${folder}/kv.sqlite`, env });
    const response = await fetch("http://deskhand.acme.deno.net/readyz", { client });
    assertEquals([response.status, await response.json()], [200, { status: "ready" }]);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("Deploy: a start without variables, or with a KV file, says what to do", async () => {
  const start = async (env: Record<string, string>) => {
    const launch = { command: [await deployRuntime(), "run", "-A", "main.ts"] };
    return await complete(command({ ...launch, env: { ...DEPLOY_ENV, ...env } }));
  };
  const empty = await start({});
  assertEquals(empty.code, 1);
  assertMatch(empty.stderr, /AUTH_SECRET, AUTH_JWKS_URL: exactly one must be set/);
  const file = await start({ AUTH_SECRET, KV_PATH: "./deskhand.kv" });
  assertEquals(file.code, 1);
  assertMatch(file.stderr, /KV_PATH: must be unset on Deno Deploy/);
});

Deno.test("Deploy: without a database, a new runtime stores nothing and an old one warns", async () => {
  await using service = await startOnDeploy({ deno: Deno.execPath() });
  const { error } = await service.output.line("store_open_failed");
  assertMatch(String(error), /no KV database is attached/);
  assertEquals((await service.call("/readyz")).status, 503);
  assertEquals((await service.submit()).status, 503);
  assertMatch(service.output.text, /no Deno KV database seems to be assigned/);

  await using old = await startOnDeploy({ env: { DENO_KV_DB_MODE: "memory" } });
  assertMatch(old.output.text, /no Deno KV database seems to be assigned/);
});

Deno.test("Deploy: its install command fetches everything that a start needs", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const clone = `${folder}/clone`;
    const git = new Deno.Command("git", { args: ["clone", "-q", ROOT.pathname, clone] });
    assertEquals((await complete(git)).code, 0);
    const deno = await deployRuntime();
    const env: Record<string, string> = { ...registryEnv(), DENO_DIR: `${folder}/cache` };
    // This runtime does not read Node's variable yet.
    env.DENO_CERT ??= env.NODE_EXTRA_CA_CERTS ?? "";
    await installOnDeploy(deno, clone, env);
    // An install may end before it has stored the metadata of all packages, which a start does not need.
    const { entrypoint } = manifest.deploy.runtime;
    const run = [deno, "run", "--cached-only", "-A", entrypoint];
    const start = command({ command: run, env: { ...env, ...DEPLOY_ENV } }, { cwd: clone });
    // Without variables, it ends as soon as it has loaded its modules.
    const { stderr } = await complete(start);
    assertMatch(stderr, /AUTH_SECRET, AUTH_JWKS_URL: exactly one must be set/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

/** Runs the install command of `deno.json`. */
async function installOnDeploy(
  deno: string,
  clone: string,
  env: Record<string, string>,
): Promise<void> {
  const [name, ...args] = manifest.deploy.install.split(" ");
  assertEquals(name, "deno");
  const launch = { command: [deno, ...args], env: { ...env, CI: "true", DENO_DEPLOY: "true" } };
  const install = () => complete(command(launch, { cwd: clone }));
  let installed = await install();
  // What has been downloaded stays. Only the registry may fail, and not always.
  for (let retry = 0; retry < 3 && isRegistryError(installed.stderr); retry++) {
    installed = await install();
  }
  assertEquals(installed.code, 0, installed.stderr.split("\n").slice(-20).join("\n"));
}

function isRegistryError(text: string): boolean {
  return /error: .*(error sending request|Failed (loading|caching)|tarball|timed out)/s.test(text);
}
