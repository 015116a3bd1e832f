import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { VERSION } from "../../config/version.ts";
import { openService } from "../support/service.ts";
import { runTask, task } from "../support/task.ts";

/** Reads lines up to the first that has `last`. */
async function readUntil(lines: ReadableStreamDefaultReader<string>, last: string) {
  let text = "";
  while (!text.includes(last)) {
    const { done, value } = await lines.read();
    if (done) throw new Error(`The output ended without '${last}':\n${text}`);
    text += value;
  }
  return text;
}

/** Starts the task on a free port, and reads what it says before its log. */
async function startDev() {
  const process = task("dev", [], { PORT: "0" }).spawn();
  const errors = new Response(process.stderr).text();
  const output = process.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const introduction = await readUntil(output, "log follows, one JSON object a line.\n\n");

  /** Ends it as Ctrl-C does; resolves with its exit code and what it wrote after the introduction. */
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

function isInstalled(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

async function paste(line: string): Promise<string> {
  const shell = new Deno.Command("bash", { args: ["-c", line], stderr: "inherit" });
  return new TextDecoder().decode((await shell.output()).stdout);
}

Deno.test("deno task dev says that it is for demo, logs JSON lines and ends at Ctrl-C", async () => {
  await using dev = await startDev();
  assertStringIncludes(dev.introduction, "for trying things out only: it keeps nothing");
  const [address] = dev.introduction.match(/http:\S+:\d+/)!;
  const answer = await fetch(`${address}/livez`);
  assertEquals(await answer.json(), { status: "live", version: VERSION });

  const { code, log, errors } = await dev.interrupt();
  assertEquals([code, errors], [0, ""]);
  const lines = log.trimEnd().split("\n").map((line) => JSON.parse(line));
  assertEquals(lines.map(({ event, route }) => [event, route]), [["request_completed", "/livez"]]);
});

Deno.test({
  name: "deno task dev prints lines that work as they are pasted",
  ignore: !isInstalled("bash") || !isInstalled("curl"),
  async fn() {
    await using dev = await startDev();
    const [submit = "", submitWithTicket = "", latest = "", ...rest] =
      dev.introduction.match(/^curl .*$/mg) ?? [];
    assertEquals(rest, []);

    const submitted = await paste(submit);
    assert(submitted.endsWith("\n"), "the shell's prompt would stand behind the answer");
    assertEquals(JSON.parse(submitted).handoff, { status: "none" });

    const withTicket = JSON.parse(await paste(submitWithTicket));
    assertEquals(withTicket.handoff.status, "created");
    const { url } = withTicket.handoff.ticket;
    assertStringIncludes(dev.introduction, new URL(url).origin);
    const page = await fetch(url);
    assertEquals(page.status, 200);
    assertStringIncludes(await page.text(), withTicket.reference);

    const summary = JSON.parse(await paste(latest));
    assertEquals(summary.desk, { label: "Demo desk" });
    assertEquals(summary.supportRequest, withTicket);
  },
});

Deno.test("deno task dev has a product with the panel, and switches for the desk", async () => {
  await using dev = await startDev();
  const [address] = dev.introduction.match(/http:\S+:\d+/)!;
  const page = await (await fetch(`${address}/`)).text();
  assertStringIncludes(page, '<support-request-panel id="tenant" tenant="acme">');
  assertStringIncludes(page, '<support-request-panel id="run" tenant="acme" run=');
  const panel = await fetch(`${address}/panel.js`);
  assertStringIncludes(await panel.text(), "support-request-panel");

  const token = await (await fetch(`${address}/demo/token`)).text();
  const handOff = async () => {
    const answer = await fetch(`${address}/v1/tenants/acme/support-requests`, {
      method: "POST",
      headers: { "Authorization": `Bearer ${token}`, "Content-Type": "application/json" },
      body: JSON.stringify({ summary: "Printer on fire", handoff: { mode: "create" } }),
    });
    return (await answer.json()).handoff;
  };
  const behave = async (mode: string) => {
    const answer = await fetch(`${address}/demo/desk`, { method: "PUT", body: mode });
    await answer.body?.cancel();
    return answer.status;
  };
  assertEquals(await behave("refuse"), 204);
  assertEquals((await handOff()).reason, "desk_refused_credentials");
  assertEquals(await behave("normal"), 204);
  assertEquals((await handOff()).status, "created");
  assertEquals(await behave("no such mode"), 422);
});

Deno.test("the service has nothing of the demo product", async () => {
  await using service = await openService();
  for (const path of ["/", "/demo/token", "/demo/desk"]) {
    const answer = await service.call(path);
    assertEquals(answer.status, 404);
    await answer.body?.cancel();
  }
});

Deno.test("deno task dev says which port is taken and how to choose another", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr;
  const { code, stdout, stderr } = await runTask("dev", [], { PORT: String(port) });
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, new RegExp(`^Cannot listen on port ${port}: .*PORT=8001 deno task dev\n$`));
});

Deno.test("deno task dev says what a port is", async () => {
  const { code, stdout, stderr } = await runTask("dev", [], { PORT: "http" });
  assertEquals([code, stdout], [1, ""]);
  assertStringIncludes(stderr, "PORT: must be a whole number from 0 to 65535");
});

Deno.test("the service loads nothing that is for demo or tests", async () => {
  const info = new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", new URL("../../main.ts", import.meta.url).pathname],
  });
  const { stdout } = await info.output();
  const { roots, modules } = JSON.parse(new TextDecoder().decode(stdout));
  const house = new URL("../../", import.meta.url).href;
  const own: string[] = modules.map(({ specifier }: { specifier: string }) => specifier)
    .filter((specifier: string) => specifier.startsWith(house));
  assert(own.includes(roots[0]) && own.includes(`${house}domain/submit.ts`));
  assertEquals(own.filter((specifier) => specifier.startsWith(`${house}tests/`)), []);
});
