/** Deskhand below `/support/` of a host that serves other things, too. */
import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { Browser } from "playwright-core";
import { launch, UNSANITIZED } from "../support/chromium.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { freePort } from "../support/raw_server.ts";
import { startService } from "../support/service_process.ts";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { startNginx } from "../support/nginx.ts";
import { createClient, ProblemError } from "../../routes/client/client.ts";
import { runTask } from "../support/task.ts";

let browser: Browser;
Deno.test.beforeAll(async () => {
  browser = await launch();
});
Deno.test.afterAll(() => browser?.close());

async function open() {
  const folder = await Deno.makeTempDir({ prefix: "deskhand-" });
  const desk = startFakeDesk();
  const productPort = freePort();
  const service = await startService({
    kvPath: `${folder}/requests.kv`,
    env: {
      ...deskEnv(desk),
      CORS_ORIGINS: `http://127.0.0.1:${productPort}`,
      PUBLIC_URL: "http://localhost/support",
    },
  });
  const nginx = await startNginx({ upstream: service.url, hasPrefix: true });
  const context = await browser.newContext({ reducedMotion: "reduce" });
  const page = await context.newPage();
  page.setDefaultTimeout(8000);
  const requested: string[] = [];
  const complaints: string[] = [];
  page.on("request", (request) => requested.push(request.url()));
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error") complaints.push(message.text());
  });
  return {
    complaints,
    desk,
    nginx,
    page,
    productPort,
    requested,
    async [Symbol.asyncDispose]() {
      await context.close();
      await nginx[Symbol.asyncDispose]();
      await service.kill();
      await desk.close();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

for (const path of ["/docs", "/docs/"]) {
  Deno.test(
    `behind a path prefix, ${path} loads and its commands name the prefix`,
    UNSANITIZED,
    async () => {
      await using stage = await open();
      const { complaints, nginx, page, requested } = stage;
      await page.goto(nginx.url + path);
      await page.getByText(`export DESKHAND=${nginx.url}\n`).waitFor();
      const strangers = requested.filter((url) =>
        !url.startsWith(nginx.url) && !/^data:/.test(url)
      );
      assertEquals([strangers, complaints], [[], []]);
    },
  );
}

for (const path of ["/docs/explorer", "/docs/explorer/"]) {
  Deno.test(
    `behind a path prefix, ${path} loads and "Try it out" submits`,
    UNSANITIZED,
    async () => {
      await using stage = await open();
      const { complaints, desk, nginx, page, requested } = stage;
      await page.goto(nginx.url + path);

      await page.getByRole("button", { name: "Authorize" }).click();
      const dialog = page.locator(".modal-ux");
      await dialog.locator("input").fill(await mintToken(AUTH_SECRET));
      await dialog.getByRole("button", { name: "Apply credentials" }).click();
      await dialog.getByRole("button", { name: "Close" }).last().click();

      const submit = page.locator("#operations-Support_requests-submitInRun");
      await submit.getByText("Submit a support request in a run's context").click();
      await submit.getByRole("combobox").nth(1).selectOption("create");
      await submit.getByRole("button", { name: "Execute" }).click();
      await submit.locator(".live-responses-table").getByText("201", { exact: true }).waitFor();
      assertEquals(desk.tickets.length, 1);
      const strangers = requested.filter((url) =>
        !url.startsWith(nginx.url) && !/^data:/.test(url)
      );
      assertEquals(strangers, []);
      assert(requested.includes(`${nginx.url}/v1/tenants/acme/runs/r-1/support-requests`));
      assertEquals(complaints, []);
    },
  );
}

Deno.test(
  "behind a path prefix, the panel finds the service that its script came from",
  UNSANITIZED,
  async () => {
    await using stage = await open();
    const { complaints, desk, nginx, page, productPort } = stage;
    await using _ = Deno.serve(
      { hostname: "127.0.0.1", port: productPort, onListen: () => {} },
      async ({ url }) => {
        const { pathname } = new URL(url);
        if (pathname === "/token") return new Response(await mintToken(AUTH_SECRET));
        if (pathname !== "/") return new Response(null, { status: 404 });
        const html = `<!doctype html><link rel="icon" href="data:,"><button>Request support</button>
<script src="${nginx.url}/panel.js" defer></script>
<support-request-panel tenant="acme" run="r-1"></support-request-panel>
<script>
  const panel = document.querySelector("support-request-panel");
  panel.getToken = () => fetch("/token").then((response) => response.text());
  document.querySelector("button").onclick = () => panel.show();
</script>`;
        return new Response(html, { headers: { "Content-Type": "text/html; charset=utf-8" } });
      },
    );
    await page.goto(`http://127.0.0.1:${productPort}/`);
    await page.getByRole("button", { name: "Request support" }).click();
    const dialog = page.getByRole("dialog", { name: "Request support" });
    await dialog.getByLabel("Summary").fill("The nightly import stops");
    await dialog.locator("#send").click();
    await dialog.locator("#result .created").waitFor();
    assertEquals(desk.tickets.map(({ subject }) => subject.includes("nightly import")), [true]);
    assertEquals(complaints, []);
  },
);

Deno.test("behind a path prefix, a problem's type opens its page", UNSANITIZED, async () => {
  await using stage = await open();
  const { nginx } = stage;
  const response = await fetch(`${nginx.url}/v1/tenants/acme/runs/r-1/support-requests/latest`);
  const { type } = await response.json();
  assertEquals(type, "http://localhost/support/problems/unauthenticated");
  const page = await fetch(type.replace("http://localhost/support", nginx.url));
  assertMatch(await page.text(), /^401 /);
});

Deno.test(
  "behind a path prefix, the typed client and the smoke test work",
  UNSANITIZED,
  async () => {
    await using stage = await open();
    const { desk, nginx } = stage;
    const client = createClient({ url: nginx.url, getToken: () => mintToken(AUTH_SECRET) });
    const context = { kind: "run", tenantId: "acme", runId: "r-1" } as const;
    const handoff = { mode: "create" } as const;
    const request = await client.submit(context, { summary: "The import stops", handoff });
    assertEquals(request.handoff.status, "created");
    assertEquals((await client.latest(context)).supportRequest, request);
    const error = await assertRejects(() => client.submit(context, { summary: "" }), ProblemError);
    assertEquals(error.slug, "validation");

    const args = ["--url", nginx.url, "--tenant", "acme", "--handoff", "create"];
    const smoke = await runTask("smoke", args, { DESKHAND_TOKEN: await mintToken(AUTH_SECRET) });
    assertMatch(smoke.stdout, / ok, 0 failed/, smoke.stdout + smoke.stderr);
    assertEquals([smoke.code, desk.tickets.length], [0, 2]);
  },
);
