/** Clients from code generators compile, and work with the service behind nginx. */
import { assertEquals, assertMatch } from "@std/assert";
import { openService } from "../support/service.ts";
import { attempt, openFolder, openPrefixed, packagesOf, run } from "./tools.ts";

/** What every example prints: submit, read the latest, page the audit events, see a failure. */
const PRINTED = [
  "ticket 1",
  "ticket 1",
  "handoff.created, request.submitted",
  "#/summary must not be empty",
];
const SLOPPY = "--unstable-sloppy-imports";
/** The command in the example and in the README. */
const LINE = /npx (-y openapi-typescript@\S+) (http:\/\/127\.0\.0\.1:8000)(\/openapi\.json .+)/;

Deno.test("the client of openapi-typescript and openapi-fetch compiles and works", async () => {
  await using folder = await openFolder("openapi_fetch.ts");
  await using stage = await openPrefixed();
  const { url, token } = stage;
  const [, tool, , others] = LINE.exec(folder.text)!;
  await run("npx", `${tool} ${url}${others}`.split(" "), folder.path);
  await run(Deno.execPath(), ["check", "openapi_fetch.ts"], folder.path);
  const args = ["run", "--allow-net", "openapi_fetch.ts", url, token];
  const printed = await run(Deno.execPath(), args, folder.path);
  assertEquals(printed.trim().split("\n"), PRINTED);
});

Deno.test("the types of openapi-typescript reject a call that the service would reject", async () => {
  await using folder = await openFolder("openapi_fetch.ts");
  await using service = await openService();
  const document = await (await service.call("/openapi.json")).text();
  await Deno.writeTextFile(`${folder.path}/openapi.json`, document);
  const [, tool, , others] = LINE.exec(folder.text)!;
  await run("npx", `${tool} ${others!.slice(1)}`.split(" "), folder.path);
  const mistake = folder.text.replace(`mode: "create"`, `mode: "creat"`);
  await Deno.writeTextFile(`${folder.path}/openapi_fetch.ts`, mistake);
  const { code, stderr } = await attempt(
    Deno.execPath(),
    ["check", "openapi_fetch.ts"],
    folder.path,
  );
  assertEquals(code, 1);
  assertMatch(stderr, /"creat"/);
});

/** Installs the packages of the example's command, with Deno, because Debian's Node is too old. */
async function install(folder: { path: string; text: string }): Promise<void> {
  const manifest = JSON.stringify({ dependencies: packagesOf(folder.text) });
  await Deno.writeTextFile(`${folder.path}/package.json`, manifest);
  await run(Deno.execPath(), ["install", "--quiet"], folder.path);
}

Deno.test("the client of Hey API compiles and works", async () => {
  await using folder = await openFolder("hey_api.ts");
  await using stage = await openPrefixed();
  const { url, token } = stage;
  await install(folder);
  const generate = /openapi-ts (-i .+)/.exec(folder.text)![1]!
    .replace("http://127.0.0.1:8000", url).split(" ");
  await run(Deno.execPath(), ["run", "-A", "npm:@hey-api/openapi-ts", ...generate], folder.path);
  await run(Deno.execPath(), ["check", SLOPPY, "hey_api.ts"], folder.path);
  const args = ["run", "--allow-net", SLOPPY, "hey_api.ts", url, token];
  const printed = await run(Deno.execPath(), args, folder.path);
  assertEquals(printed.trim().split("\n"), PRINTED);
});

Deno.test("the client of Orval compiles and works", async () => {
  await using folder = await openFolder("orval.ts", "orval.config.mjs");
  await using stage = await openPrefixed();
  const { url, token } = stage;
  await install(folder);
  const generate = ["run", "-A", "npm:orval", "--config", "orval.config.mjs"];
  await run(Deno.execPath(), generate, folder.path, { DESKHAND_URL: url });
  await run(Deno.execPath(), ["check", "orval.ts"], folder.path);
  const printed = await run(
    Deno.execPath(),
    ["run", "--allow-net", "orval.ts", token],
    folder.path,
  );
  assertEquals(printed.trim().split("\n"), PRINTED);
});

const hasPython = await hasCommand("python3");
if (!hasPython) console.warn("Not tested: the client of openapi-python-client (no python3 here)");

Deno.test({
  name: "the client of openapi-python-client compiles and works",
  ignore: !hasPython,
  async fn() {
    await using folder = await openFolder("python_client.py", "requirements.txt");
    await using stage = await openPrefixed();
    const { url, token } = stage;
    // Debian: the package python3-venv.
    await run("python3", ["-m", "venv", "venv"], folder.path);
    const python = `${folder.path}/venv/bin/python`;
    await run(python, ["-m", "pip", "install", "-q", "-r", "requirements.txt"], folder.path);
    const generate = /openapi-python-client (generate .+)/.exec(folder.text)![1]!
      .replace("http://127.0.0.1:8000", url).split(" ");
    const env = { PATH: `${folder.path}/venv/bin:${Deno.env.get("PATH")}` };
    const { code, stdout } = await attempt(
      `${folder.path}/venv/bin/openapi-python-client`,
      [...generate, "--fail-on-warning"],
      folder.path,
      env,
    );
    assertEquals([code, stdout.includes("WARNING")], [0, false], stdout);
    await run(python, ["-m", "compileall", "-q", "deskhand"], folder.path);
    const printed = await run(python, ["python_client.py", url, token], folder.path);
    assertEquals(printed.trim().split("\n"), PRINTED);
  },
});

async function hasCommand(command: string): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args: ["--version"] }).output()).success;
  } catch {
    return false;
  }
}
