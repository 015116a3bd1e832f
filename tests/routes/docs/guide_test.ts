/** The guide at `/docs`: each of its examples is run, and does what the guide says. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { startFakeDesk } from "../../demo/fake_desk.ts";
import { mintToken } from "../../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../../support/constants.ts";
import { type Example, guideExamples, PLACEHOLDER_URL } from "../../support/guide.ts";
import { ROOT } from "../../support/process.ts";
import { openService } from "../../support/service.ts";

/** The service on loopback with a fake desk, and a product's endpoint for tokens. */
async function openStage() {
  const desk = startFakeDesk();
  const service = await openService({ env: deskEnv(desk) });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      if (new URL(request.url).pathname !== "/support-token") {
        return await service.app.fetch(request);
      }
      return new Response(`${await mintToken(AUTH_SECRET)}\n`);
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const examples = guideExamples(await (await fetch(`${url}/docs`)).text());
  return {
    url,
    desk,
    textOf: (kind: string) => examples.filter((each) => each.kind === kind).map(({ text }) => text),
    examples,
    async [Symbol.asyncDispose]() {
      await server.shutdown();
      await service[Symbol.asyncDispose]();
      await desk.close();
    },
  };
}

async function run(command: string, args: string[], cwd?: string): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(command, {
    args,
    ...cwd !== undefined && { cwd },
    env: { NO_COLOR: "1", NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" },
    signal: AbortSignal.timeout(60_000),
  }).output();
  assertEquals(code, 0, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

function isInstalled(command: string): boolean {
  try {
    return new Deno.Command(command, { args: ["--version"] }).outputSync().success;
  } catch {
    return false;
  }
}

/** Returns the names and types of a JSON value's fields, at any depth, without what differs. */
function shapeOf(value: unknown): unknown {
  if (Array.isArray(value)) return value.slice(0, 1).map(shapeOf);
  if (typeof value !== "object" || value === null) return typeof value;
  return Object.fromEntries(
    Object.entries(value).map(([name, field]) => [name, shapeOf(field)]),
  );
}

/** Pairs each command with the response that the guide shows after it. */
function commandsWithResponses(examples: Example[]): { command: string; shown: string | null }[] {
  return examples.flatMap(({ kind, text }, i) => {
    if (kind !== "sh") return [];
    const next = examples[i + 1];
    return [{ command: text, shown: next && /^[A-Z]/.test(next.kind) ? next.text : null }];
  });
}

Deno.test({
  name: "each command of the guide gets the response that the guide shows",
  ignore: !isInstalled("bash") || !isInstalled("curl"),
  async fn() {
    await using stage = await openStage();
    const token = await mintToken(AUTH_SECRET, { sub: "ada", name: "Ada" });
    const commands = commandsWithResponses(stage.examples);
    assertEquals(commands.map(({ shown }) => shown !== null), [false, true, true, true]);
    let before = "";
    const results: Record<string, unknown>[] = [];
    for (const { command, shown } of commands) {
      const text = command.replace(PLACEHOLDER_URL, stage.url).replace("$(deno task token)", token);
      if (shown === null) before += `${text}\n`;
      else {
        const output = await run("bash", ["-c", before + text]);
        results.push(JSON.parse(output));
        assertEquals(shapeOf(results.at(-1)), shapeOf(JSON.parse(shown)), command);
      }
    }
    const [submitted, latest, problem] = results;
    assertEquals(latest!["supportRequest"], submitted);
    const shownProblem = JSON.parse(commands.at(-1)!.shown!);
    const { requestId: _, ...expected } = shownProblem;
    assertEquals({ ...problem, requestId: undefined }, { ...expected, requestId: undefined });

    // Step 5 says what the command of step 2 does when it is run again.
    const again = commands[1]!.command.replace("curl", "curl -i");
    const response = await run("bash", ["-c", before + again]);
    assertMatch(response, /^idempotent-replayed: true\r$/im);
    assertStringIncludes(response, String(submitted!["reference"]));
    assertEquals(stage.desk.tickets.length, 1);
  },
});

Deno.test("the guide's function for Node.js is routes/v1/README.md's, which another test runs", async () => {
  await using stage = await openStage();
  const readme = await Deno.readTextFile(new URL("routes/v1/README.md", ROOT));
  const [code, ...others] = stage.textOf("node");
  assertEquals(others, []);
  assertStringIncludes(readme, `\`\`\`js\n${code}\n\`\`\``);
});

Deno.test("the guide's program with the client has no type errors and gets a ticket", async () => {
  await using stage = await openStage();
  const [program, ...others] = stage.textOf("client");
  assertEquals(others, []);
  const folder = await Deno.makeTempDir();
  try {
    const code = program!
      .replace('"@deskhand/client"', JSON.stringify(new URL("routes/client/client.ts", ROOT).href))
      .replace("/my-backend/support-token", `${stage.url}/support-token`)
      .replace(PLACEHOLDER_URL, stage.url);
    await Deno.writeTextFile(`${folder}/main.ts`, code);
    await Deno.writeTextFile(`${folder}/deno.json`, "{}");
    const output = await run(
      Deno.execPath(),
      ["run", "--check", "--allow-net=127.0.0.1", "main.ts"],
      folder,
    );
    assertMatch(output, /^SR-\w{26} http:\S+Ticket\/Display\.html\?id=1\n$/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("the reference lists each operation with its own problems, and common ones once", async () => {
  await using stage = await openStage();
  const html = await (await fetch(`${stage.url}/docs`)).text();
  const { paths, components } = await (await fetch(`${stage.url}/openapi.json`)).json();
  const at = html.indexOf('<h2 id="problems">');
  const [operations, common] = [
    html.slice(0, at),
    html.slice(at, html.indexOf('<h2 id="schemas">')),
  ];
  const slugsIn = (text: string) =>
    [...text.matchAll(/href="problems\/([a-z-]+)"/g)].map(([, slug]) => slug!);
  const shared = slugsIn(common);
  assert(shared.includes("unauthenticated") && !shared.includes("validation"), `${shared}`);
  let count = 0;
  for (const [path, methods] of Object.entries<Record<string, { operationId: string }>>(paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const start = operations.indexOf(`<div id="${operation.operationId}">`);
      assert(start > 0, `${method} ${path} is missing`);
      const end = operations.indexOf("<div id=", start + 1);
      const section = operations.slice(start, end === -1 ? undefined : end);
      const documented = [...JSON.stringify(operation).matchAll(/examples\/([a-z-]+)"/g)]
        .map(([, slug]) => slug!);
      const isPublic = "security" in operation;
      assertEquals(
        slugsIn(section).toSorted(),
        documented.filter((slug) => isPublic || !shared.includes(slug)).toSorted(),
        operation.operationId,
      );
      if (!isPublic) assertEquals(shared.filter((slug) => !documented.includes(slug)), []);
      count++;
    }
  }
  assertEquals(count, 9);
  // Each link within the page has a target.
  const ids = new Set([...html.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id!));
  for (const [, id] of html.matchAll(/href="#([^"]+)"/g)) assert(ids.has(id!), id);
  for (const name of Object.keys(components.schemas)) assert(ids.has(`schema-${name}`), name);
});

Deno.test("each description of the reference ends with one period", async () => {
  await using stage = await openStage();
  const html = await (await fetch(`${stage.url}/docs`)).text();
  const reference = html.slice(html.indexOf('<h2 id="operations">'));
  assertEquals(reference.replaceAll(/<[^>]+>/g, "").match(/.*\.\.(\s|$)/gm), null);
});
