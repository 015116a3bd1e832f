/** The bundle that the image contains: built by the command of the Dockerfile, without Docker. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnv } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { ROOT } from "../support/process.ts";
import { failToStart, startService } from "../support/service_process.ts";

let folder: string;

Deno.test.beforeAll(async () => {
  folder = await Deno.makeTempDir({ prefix: "bundle-" });
  const dockerfile = await Deno.readTextFile(new URL("Dockerfile", ROOT));
  const [, args] = /deno (bundle [^&]+)&&/.exec(dockerfile.replaceAll("\\\n", " "))!;
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: args!.trim().split(/\s+/).map((arg) => arg.replace("=/srv/deskhand", `=${folder}`)),
    cwd: ROOT,
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  await Deno.writeTextFile(`${folder}/deno.json`, '{"unstable":["kv"],"lock":false}');
});

Deno.test.afterAll(() => Deno.remove(folder, { recursive: true }));

/** The bundle without its packages, with the permissions that the image gives it. */
function command(kvPath: string): string[] {
  const data = kvPath.slice(0, kvPath.lastIndexOf("/"));
  const files = [`--allow-read=${data}`, `--allow-write=${data}`];
  const flags = ["--cached-only", "--no-prompt", "--allow-env", "--allow-net", ...files];
  return [Deno.execPath(), "run", ...flags, `${folder}/main.js`];
}

Deno.test("the bundle stores a request, creates its ticket, and has both after a restart", async () => {
  await using file = await temporaryPath();
  const desk = startFakeDesk();
  try {
    const options = { kvPath: file.path, env: deskEnv(desk), command: command(file.path) };
    const service = await startService(options);
    const { status, body } = await service.submit({ handoff: { mode: "create" } }, { key: "k-1" });
    assertEquals([status, body.handoff.status, desk.tickets.length], [201, "created", 1]);
    assertEquals((await service.submit({ summary: "" })).status, 422);
    assertEquals(await service.stop(), 0);
    await using again = await startService(options);
    assertEquals((await again.latest()).body.supportRequest, body);
    assertEquals((await again.auditEvents()).length, 2);
  } finally {
    await desk.close();
  }
});

Deno.test("the bundle serves the same files as the source", async () => {
  await using file = await temporaryPath();
  await using other = await temporaryPath();
  await using bundle = await startService({ kvPath: file.path, command: command(file.path) });
  await using source = await startService({ kvPath: other.path });
  const { paths } = await (await fetch(`${source.url}/openapi.json`)).json();
  assert(Object.keys(paths).length > 5);
  for (
    const path of [
      ...["/", "/docs", "/docs/start.js", "/docs/home.css", "/docs/swagger-ui-bundle.js"],
      ...["/docs/swagger-ui.css", "/openapi.json", "/panel.js", "/panel/integrity.json"],
      ...["de", "fr", "es", "pt", "ja", "ar"].map((code) => `/panel/locales/${code}.json`),
      ...["/problems/validation", "/livez", "/readyz", "/nowhere"],
    ]
  ) {
    const read = async (url: string) => {
      const headers = { "X-Request-Id": "r-1" };
      const response = await fetch(url + path, { headers });
      return [response.status, response.headers.get("Content-Type"), await response.text()];
    };
    assertEquals(await read(bundle.url), await read(source.url), path);
  }
});

Deno.test("the bundle stops at a wrong configuration, with every problem", async () => {
  await using file = await temporaryPath();
  const env = { PORT: "planted", AUTH_SECRET: "planted" };
  const { code, text } = await failToStart({
    kvPath: file.path,
    env,
    command: command(file.path),
  });
  assertEquals(code, 1);
  assertMatch(text, /^Invalid configuration /m);
  for (const name of Object.keys(env)) assertMatch(text, new RegExp(`\n {2}.*${name}.*: must`));
});
