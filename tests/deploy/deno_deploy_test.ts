/**
 * The production entry with what Deno Deploy gives it: the runtime that Deploy documents, all
 * permissions, no `--unstable-*` flag, a KV that is opened without a path, and its variables.
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnv, requestsPath } from "../support/constants.ts";
import { type Service, startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";

/** Deploy documents Deno 2.5. */
const RUNTIME = "deno@2.5.7";

let deno: string;

Deno.test.beforeAll(async () => {
  const { stdout, stderr, success } = await new Deno.Command("npx", {
    args: ["-y", RUNTIME, "eval", "console.log(Deno.version.deno, Deno.execPath())"],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const [version, path] = new TextDecoder().decode(stdout).trim().split(" ");
  assertEquals(`deno@${version}`, RUNTIME);
  deno = path!;
});

/** Starts the service over the database in `folder`, which stands for the app's own. */
function start(folder: string, env: Record<string, string>): Promise<Service> {
  return startService({
    kvPath: "",
    command: [deno, "run", "-A", "main.ts"],
    env: {
      PORT: "",
      DENO_DEPLOYMENT_ID: "test",
      DENO_KV_DEFAULT_PATH: `${folder}/kv.sqlite`,
      // Deploy also chooses the address on which the service listens.
      DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
      ...env,
    },
  });
}

async function withDesk(
  run: (desk: ReturnType<typeof startFakeDesk>, begin: () => Promise<Service>) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  const desk = startFakeDesk();
  const env = {
    ...deskEnv(desk),
    SUPPORT_DESK_TIMEOUT_MS: "1000",
  };
  try {
    await run(desk, () => start(folder, env));
  } finally {
    await desk.close();
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("Deploy: a submission becomes a ticket, and is still stored after a restart", () =>
  withDesk(async (desk, begin) => {
    await using service = await begin();
    assertEquals((await service.call("/readyz")).body, { status: "ready" });
    const { status, body } = await service.submit({ handoff: { mode: "create" } }, { key: "k-1" });
    assertEquals([status, body.handoff.status, desk.tickets.length], [201, "created", 1]);
    assertEquals((await service.latest()).body.supportRequest, body);
    assertEquals((await service.auditEvents()).length, 2);
    assertEquals(await service.stop(), 0);

    await using again = await begin();
    const replay = await again.submit({ handoff: { mode: "create" } }, { key: "k-1" });
    assertEquals([replay.headers.get("Idempotent-Replayed"), replay.body], ["true", body]);
    assertEquals((await again.latest()).body.supportRequest, body);
  }));

Deno.test("Deploy: the documentation, the OpenAPI document and the panel are served", () =>
  withDesk(async (_desk, begin) => {
    await using service = await begin();
    for (
      const [path, type, content] of [
        ["/", /^text\/html/, /href="docs"/],
        ["/docs/home.css", /^text\/css/, /main/],
        ["/docs", /^text\/html/, /swagger-ui/],
        ["/docs/start.js", /^text\/javascript/, /SwaggerUIBundle/],
        ["/docs/swagger-ui-bundle.js", /^text\/javascript/, /SwaggerUIBundle/],
        ["/docs/swagger-ui.css", /^text\/css/, /\.swagger-ui/],
        ["/openapi.json", /^application\/json/, /"openapi":\s*"3\.1/],
        ["/panel.js", /^text\/javascript/, /support-request-panel/],
      ] as const
    ) {
      const response = await fetch(service.url + path);
      assertEquals([path, response.status], [path, 200]);
      assertMatch(response.headers.get("Content-Type")!, type);
      assertMatch(await response.text(), content);
    }
  }));

Deno.test("Deploy: a handoff that is cut off can be resumed in the next process", () =>
  withDesk(async (desk, begin) => {
    desk.behave("hang-after-create");
    await using service = await begin();
    const submission = service.submit({ handoff: { mode: "create" } }).catch(() => null);
    await waitFor("the desk has a ticket", () => desk.tickets.length === 1);
    await service.kill();
    assertEquals(await submission, null);

    desk.behave("normal");
    await using next = await begin();
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
