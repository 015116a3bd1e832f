import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../config/version.ts";
import { Peer } from "../support/raw_client.ts";
import { openService } from "../support/service.ts";
import { runTask, task } from "../support/task.ts";

/** Reads until the text contains `last`. */
async function readUntil(lines: ReadableStreamDefaultReader<string>, last: string) {
  let text = "";
  while (!text.includes(last)) {
    const { done, value } = await lines.read();
    if (done) throw new Error(`The output ended without '${last}':\n${text}`);
    text += value;
  }
  return text;
}

/** Starts the task on a free port and reads what it prints before its log. */
async function startDev() {
  const process = task("dev", [], { PORT: "0" }).spawn();
  const errors = new Response(process.stderr).text();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const introduction = await readUntil(output, "The log of the service follows:\n\n");

  /** Stops the task as Ctrl-C does. Resolves with its exit code, its log and its standard error. */
  async function interrupt() {
    process.kill("SIGINT");
    let log = "";
    for (let read; !(read = await output.read()).done;) log += read.value;
    return { code: (await process.status).code, log, errors: await errors };
  }

  return {
    introduction,
    interrupt,
    async [Symbol.asyncDispose]() {
      await process[Symbol.asyncDispose]();
      await output.cancel();
      await errors;
    },
  };
}

function originOf(introduction: string): string {
  return introduction.match(/http:\S+:\d+/)![0];
}

function isInstalled(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

/** Runs what a person pastes into a shell, and returns its standard output. */
async function paste(lines: string): Promise<string> {
  const shell = new Deno.Command("bash", { args: ["-c", lines], stderr: "inherit" });
  return new TextDecoder().decode((await shell.output()).stdout);
}

Deno.test("deno task dev says that it is a demo, logs JSON lines and stops on Ctrl-C", async () => {
  await using dev = await startDev();
  assertStringIncludes(dev.introduction, "demo: the store is in memory");
  const origin = originOf(dev.introduction);
  const response = await fetch(`${origin}/livez`);
  assertEquals(await response.json(), { status: "live", version: VERSION });

  const { code, log, errors } = await dev.interrupt();
  assertEquals([code, errors], [0, ""]);
  const lines = log.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ event, route }) => [event, route]), [["request_completed", "/livez"]]);
});

Deno.test("deno task dev prints at most 30 short lines, and the token once", async () => {
  await using dev = await startDev();
  const lines = dev.introduction.split("\n");
  assert(lines.length <= 30, `${lines.length} lines`);
  const long = lines.filter((line) => line.length > 100);
  assertEquals(long.map((line) => line.slice(0, 13)), ["export TOKEN="]);
});

Deno.test({
  name: "deno task dev prints commands that work when they are pasted",
  ignore: !isInstalled("bash") || !isInstalled("curl"),
  async fn() {
    await using dev = await startDev();
    const [setToken, submit, latest, ...rest] = dev.introduction.split("\n\n")
      .filter((paragraph) => /^(export|curl) /.test(paragraph));
    assertEquals(rest, []);

    const readme = await Deno.readTextFile(new URL("../../README.md", import.meta.url));
    assertStringIncludes(
      readme,
      submit!.replace(originOf(dev.introduction), "http://127.0.0.1:8000"),
    );
    const submitted = await paste(`${setToken}\n${submit}`);
    assert(submitted.endsWith("\n"), "the shell's prompt would follow the response on its line");
    const { reference, handoff } = JSON.parse(submitted);
    assertEquals(handoff.status, "created");
    const { url } = handoff.ticket;
    assertStringIncludes(dev.introduction, new URL(url).origin);
    const page = await fetch(url);
    assertEquals(page.status, 200);
    assertStringIncludes(await page.text(), reference);

    const summary = JSON.parse(await paste(`${setToken}\n${latest}`));
    assertEquals(summary.desk, { label: "Demo desk" });
    assertEquals(summary.supportRequest, JSON.parse(submitted));
  },
});

Deno.test("the demo gives a page of another host name nothing, even on this machine", async () => {
  await using dev = await startDev();
  const origin = originOf(dev.introduction);
  const { host, port } = new URL(origin);
  const statusOf = async (path: string, host: string) => {
    using peer = await Peer.connect(origin);
    await peer.write(`GET ${path} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
    return (await peer.response()).status;
  };
  for (const path of ["/", "/demo/token", "/demo/log", "/demo/desk", "/livez"]) {
    for (const own of [host, `localhost:${port}`]) assertEquals(await statusOf(path, own), 200);
    for (const other of [`evil.example:${port}`, "localhost.evil.example", "10.0.0.1", "x:99999"]) {
      assertEquals(await statusOf(path, other), 403, `${path} of ${other}`);
    }
  }
});

Deno.test("deno task dev has a product with the panel, a control for the fake desk, and the log", async () => {
  await using dev = await startDev();
  const origin = originOf(dev.introduction);
  const page = await (await fetch(`${origin}/`)).text();
  assertStringIncludes(page, '<support-request-panel id="tenant" tenant="acme">');
  assertStringIncludes(page, '<support-request-panel id="run" tenant="acme" run=');
  const panel = await fetch(`${origin}/panel.js`);
  assertStringIncludes(await panel.text(), "support-request-panel");

  const token = await (await fetch(`${origin}/demo/token`)).text();
  const createTicket = async () => {
    const response = await fetch(`${origin}/v1/tenants/acme/support-requests`, {
      method: "POST",
      headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ summary: "Printer on fire", handoff: { mode: "create" } }),
    });
    return (await response.json()).handoff;
  };
  const setMode = async (mode: string) => {
    const response = await fetch(`${origin}/demo/desk`, { method: "PUT", body: mode });
    await response.body?.cancel();
    return response.status;
  };
  assertEquals(await setMode("refuse"), 204);
  assertEquals((await createTicket()).reason, "desk_refused_credentials");
  assertEquals(await setMode("normal"), 204);
  assertEquals((await createTicket()).status, "created");
  assertEquals(await setMode("no such mode"), 422);
  const log = await (await fetch(`${origin}/demo/log`)).json();
  const outcomes = log.map(({ event }: { event: string }) => event)
    .filter((event: string) => event.startsWith("handoff_"));
  assertEquals(outcomes, ["handoff_failed", "handoff_created"]);
});

Deno.test("the demo's guide has a token that works, and its URL in every example", async () => {
  await using dev = await startDev();
  const origin = originOf(dev.introduction);
  const response = await fetch(`${origin}/docs`);
  assertMatch(
    response.headers.get("Content-Security-Policy")!,
    /^default-src 'none'; script-src 'self'/,
  );
  const page = await response.text();
  assertEquals(page.match(/deskhand\.example|\$\(deno|fetch\("\/my/), null);
  assertStringIncludes(page, `export DESKHAND=${origin}\n`);
  assertStringIncludes(page, `fetch("${origin}/demo/token")`);
  const token = /export TOKEN=(\S+?)</.exec(page)![1]!;
  const latest = await fetch(`${origin}/v1/tenants/acme/support-requests/latest`, {
    headers: { "Authorization": `Bearer ${token}` },
  });
  assertEquals((await latest.json()).desk, { label: "Demo desk" });
});

Deno.test("pages of development servers may call the demo and get a token, others may not", async () => {
  await using dev = await startDev();
  const origin = originOf(dev.introduction);
  for (const path of ["/demo/token", "/v1/tenants/acme/support-requests/latest"]) {
    const allowed = async (page: string) => {
      const response = await fetch(origin + path, { headers: { "Origin": page } });
      await response.body?.cancel();
      return response.headers.get("Access-Control-Allow-Origin");
    };
    for (
      const page of ["http://localhost:5173", "http://127.0.0.1:3000", "http://localhost:8080"]
    ) {
      assertEquals(await allowed(page), page, path);
    }
    for (const page of ["http://evil.example", "http://localhost:5174", "null"]) {
      assertEquals(await allowed(page), null, path);
    }
  }
});

Deno.test("the service serves nothing of the sample product", async () => {
  await using service = await openService();
  for (const path of ["/demo/token", "/demo/desk"]) {
    const response = await service.call(path);
    assertEquals(response.status, 404);
    await response.body?.cancel();
  }
});

Deno.test("deno task dev says which port is in use and how to choose another", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stdout, stderr } = await runTask("dev", [], { PORT: String(port) });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`^Cannot listen on port ${port}: .*PORT=8001 deno task dev\n$`));
});

Deno.test("deno task dev explains which values of PORT are valid", async () => {
  const { code, stdout, stderr } = await runTask("dev", [], { PORT: "http" });
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, "PORT: must be a whole number from 0 to 65535");
});

Deno.test("the service loads no module of the demo or the tests", async () => {
  const info = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("../../main.ts", import.meta.url).pathname],
  });
  const { stdout } = await info.output();
  const { roots: [entryPoint], modules } = JSON.parse(new TextDecoder().decode(stdout));
  const root = new URL("../../", import.meta.url).href;
  const own: string[] = modules.map(({ specifier }: { specifier: string }) => specifier)
    .filter((specifier: string) => specifier.startsWith(root));
  assert(own.includes(entryPoint) && own.includes(`${root}domain/submit.ts`));
  assertEquals(own.filter((specifier) => specifier.startsWith(`${root}tests/`)), []);
});
