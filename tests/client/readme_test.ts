/** The programs in the client's README: without type errors, and they do what it says. */
import { assertEquals, assertMatch } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { ROOT } from "../support/process.ts";
import { openService } from "../support/service.ts";

const CLIENT = JSON.stringify(new URL("routes/client/client.ts", ROOT).href);

/** The function for Node.js in the API's README. */
async function supportToken(): Promise<string> {
  const readme = await Deno.readTextFile(new URL("routes/v1/README.md", ROOT));
  return /```js\n(import [\s\S]*?)```/.exec(readme)![1]!;
}

/** Runs a program with type checks and returns its standard output. */
async function run(program: string): Promise<string> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(`${folder}/deno.json`, "{}");
    await Deno.writeTextFile(`${folder}/support_token.js`, await supportToken());
    await Deno.writeTextFile(`${folder}/main.ts`, program);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--check", "--allow-net=127.0.0.1", "--allow-env=AUTH_SECRET", "main.ts"],
      cwd: folder,
      env: { AUTH_SECRET, NO_COLOR: "1", NO_PROXY: "127.0.0.1", no_proxy: "127.0.0.1" },
      signal: AbortSignal.timeout(60_000),
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the programs in the client's README submit a request and read it", async () => {
  const readme = await Deno.readTextFile(new URL("routes/client/README.md", ROOT));
  const programs = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, text]) => text!);
  assertEquals(programs.length, 2);
  const desk = startFakeDesk();
  const service = await openService({ env: deskEnv(desk) });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const { pathname } = new URL(request.url);
      if (pathname !== "/support-token") return await service.app.fetch(request);
      return new Response(await mintToken(AUTH_SECRET));
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}`;
  const prepare = (program: string) =>
    program.replace('"@deskhand/client"', CLIENT)
      .replace("https://support.example", url)
      .replace('fetch("/support-token")', `fetch("${url}/support-token")`);
  try {
    const [submits, reads] = programs.map(prepare);
    assertMatch(await run(submits!), /^SR-\w{26} is ticket 1: http:\S+id=1\n$/);
    // The first one submits in a run's context.
    assertMatch(await run(reads!), /^Support desk undefined\n$/);
    await run(
      submits!.replace(
        /const context = .*/,
        "const context = { kind: 'tenant', tenantId: 'acme' } as const;",
      ),
    );
    assertMatch(await run(reads!), /^Support desk created\n$/);
  } finally {
    await server.shutdown();
    await service[Symbol.asyncDispose]();
    await desk.close();
  }
});
