import { assert, assertEquals, assertMatch } from "@std/assert";
import { startPracticeDesk } from "../practice/desk.ts";
import { mintToken } from "../practice/token.ts";
import { AUTH_SECRET, openService } from "../service.ts";

const EXAMPLE = await Deno.readTextFile(new URL("fetch_client.ts", import.meta.url));
/** The line that the example and the README tell. */
const LINE = /npx (-y openapi-typescript@\S+) (http:\/\/127\.0\.0\.1:8000)(\/openapi\.json .+)/;

/** Runs a command, which must succeed, and returns what it says. */
async function run(command: string, args: string[], cwd: string): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1" },
  }).output();
  const [said, complained] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assert(success, `${command} ${args.join(" ")}\n${said}\n${complained}`);
  return said!;
}

async function openFolder() {
  const path = await Deno.makeTempDir({ prefix: "deskhand-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

Deno.test("the types that one line makes from the contract compile, and their client works", async () => {
  await using folder = await openFolder();
  const desk = startPracticeDesk();
  await using service = await openService({
    env: {
      SUPPORT_DESK_URL: desk.url,
      SUPPORT_DESK_TOKEN: desk.token,
      SUPPORT_DESK_QUEUE: desk.queue,
    },
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => service.app.fetch(request),
  );
  const url = `http://127.0.0.1:${server.addr.port}`;

  const [, tool, , others] = LINE.exec(EXAMPLE)!;
  await run("npx", `${tool} ${url}${others}`.split(" "), folder.path);
  await Deno.writeTextFile(`${folder.path}/example.ts`, EXAMPLE);
  await run(Deno.execPath(), ["check", "example.ts"], folder.path);

  const token = await mintToken(AUTH_SECRET);
  const said = await run(
    Deno.execPath(),
    ["run", "--allow-net", "example.ts", url, token],
    folder.path,
  );
  assertEquals(said.trim().split("\n"), [
    "ticket 1",
    "ticket 1",
    "handoff.created, request.submitted",
    "#/summary must not be empty",
  ]);
  await server.shutdown();
  await desk.close();
});

Deno.test("the types refuse a call that the service would refuse", async () => {
  await using folder = await openFolder();
  await using service = await openService();
  const contract = await (await service.call("/openapi.json")).text();
  await Deno.writeTextFile(`${folder.path}/openapi.json`, contract);
  const [, tool, , others] = LINE.exec(EXAMPLE)!;
  await run("npx", `${tool} ${others!.slice(1)}`.split(" "), folder.path);
  const mistake = EXAMPLE.replace(`mode: "create"`, `mode: "creat"`);
  await Deno.writeTextFile(`${folder.path}/example.ts`, mistake);
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["check", "example.ts"],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(success, false);
  assertMatch(new TextDecoder().decode(stderr), /"creat"/);
});
