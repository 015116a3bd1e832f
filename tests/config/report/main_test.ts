import { assert, assertEquals, assertFalse, assertMatch, assertStringIncludes } from "@std/assert";
import { createProject } from "./project.ts";

const SECRET = "zK4rV9mQ2xWbT7hLcD5nYpE8sJfG3uAa";
const DOT_ENV = `AUTH_SECRET='${SECRET}'\nKV_PATH=./deskhand.kv\n`;

/** Returns the value and the source that the report gives for a variable. */
function row(report: string, name: string): string[] {
  const line = report.split("\n").find((line) => line.trim().split(/\s+/)[0] === name)!;
  return line.trim().split(/ {2,}/).slice(1);
}

Deno.test("config prints the value and the source of each variable", async () => {
  await using project = await createProject(`${DOT_ENV}PORT=8001\nLOG_LEVEL=warn\n`);
  const { code, stdout, stderr } = await project.task(["config"], { PORT: "9000", HOST: "::1" });
  assertEquals([code, stderr], [0, ""]);
  assertEquals(row(stdout, "PORT"), ["9000", "environment, wins over .env"]);
  assertEquals(row(stdout, "HOST"), ["::1", "environment"]);
  assertEquals(row(stdout, "LOG_LEVEL"), ["warn", ".env"]);
  assertEquals(row(stdout, "SUPPORT_DESK_TIMEOUT_MS"), ["5000", "default"]);
  assertEquals(row(stdout, "PUBLIC_URL"), ["unset"]);
  assertEquals(row(stdout, "AUTH_SECRET"), ["set, 32 characters", ".env"]);
  assertStringIncludes(stdout, "http://[::1]:9000");
  assertFalse(stdout.includes("Warnings"), stdout);
});

Deno.test("config says what the configuration means", async () => {
  await using project = await createProject(
    `${DOT_ENV}SUPPORT_DESK_URL=https://rt.acme.example\nSUPPORT_DESK_TOKEN=1-7-0f9a2c\n` +
      `SUPPORT_DESK_QUEUE=Support\nCORS_ORIGINS=https://app.acme.example\nAUTH_ISSUER=acme\n`,
  );
  const { stdout } = await project.task(["config"]);
  assertMatch(stdout, /Listens on +http:\/\/127\.0\.0\.1:8000/);
  assertMatch(stdout, /Stores requests in +the file \.\/deskhand\.kv/);
  assertMatch(stdout, /Hands off to +.*https:\/\/rt\.acme\.example, queue 'Support'/);
  assertMatch(stdout, /Accepts +tokens signed with AUTH_SECRET .*issued by acme; .*'tenants'/);
  assertMatch(stdout, /Browser origins +https:\/\/app\.acme\.example/);
});

Deno.test("config lists every problem, warns of its likely cause and fails", async () => {
  await using project = await createProject(`\uFEFF${DOT_ENV}SUPPORT_DESK_REQUESTOR=anybody\n`);
  const { code, stdout, stderr } = await project.task(["config"]);
  assertEquals(code, 1);
  assertMatch(stderr, /^\nInvalid configuration .*\n {2}SUPPORT_DESK_REQUESTOR: must .*\n/);
  assertMatch(stderr, /\n {2}AUTH_SECRET, AUTH_JWKS_URL: exactly one must be set/);
  assertStringIncludes(stdout, "begins with a byte order mark, so AUTH_SECRET is not read");
});

Deno.test("config never prints a secret, even in the wrong variable", async () => {
  const planted = (name: string) => `${name}='planted$planted planted'\n`;
  const names = ["AUTH_SECRET", "SUPPORT_DESK_TOKEN", "DENO_KV_ACCESS_TOKEN", "PORT", "PLANTED"];
  await using project = await createProject(
    names.map(planted).join("") + "SUPPORT_DESK_URL=https://planted:planted@desk.example\n" +
      "AUTH_JWKS_URL=https://id.example/keys?key=planted\nHTTPS_PROXY=http://u:planted@proxy\n",
  );
  for (const task of ["config", "start"]) {
    const { stdout, stderr } = await project.task([task], { SUPPORT_DESK_QUEUE: "q" });
    assertStringIncludes(stderr, "Invalid configuration");
    assertFalse((stdout + stderr).includes("planted"), stdout + stderr);
  }
});

Deno.test("config prints no secret in a URL that is valid", async () => {
  const url = (path: string) =>
    `https://user:planted@planted@id.example/${path}?key=planted#planted`;
  await using project = await createProject(
    "KV_PATH=https://kv.example/db?key=planted\nDENO_KV_ACCESS_TOKEN=planted\n" +
      "AUTH_JWKS_URL=https://id.example/keys?key=planted\n" +
      `AUTH_ISSUER='${url("realm")}'\nAUTH_AUDIENCE='${url("api")}'\n`,
  );
  const { code, stdout, stderr } = await project.task(["config"]);
  assertEquals(code, 0, stderr);
  assertStringIncludes(
    stdout,
    "issued by https://…@id.example/realm?… for https://…@id.example/api?…",
  );
  assertFalse((stdout + stderr).includes("planted"), stdout + stderr);
});

Deno.test("config --init creates .env, readable by its owner only, with a generated secret", async () => {
  const secrets = new Set<string>();
  for (const _ of "ab") {
    await using project = await createProject();
    assertEquals((await project.task(["config", "--init"])).code, 0);
    const text = await Deno.readTextFile(`${project.folder}/.env`);
    assertEquals((await Deno.stat(`${project.folder}/.env`)).mode! & 0o777, 0o600);
    secrets.add(/^AUTH_SECRET=([\w-]{64})$/m.exec(text)![1]!);
    const { code, stdout } = await project.task(["config"]);
    assertEquals(code, 0);
    assertFalse(stdout.includes("Warnings"), stdout);
  }
  assertEquals(secrets.size, 2);
});

Deno.test("lines appended to the .env of config --init count, such as those of the set-up script", async () => {
  await using project = await createProject();
  await project.task(["config", "--init"]);
  const path = `${project.folder}/.env`;
  const lines = ["URL=https://rt.acme.example", "TOKEN=1-7-0f9a2c", "QUEUE=Support"];
  for (const line of lines) {
    await Deno.writeTextFile(path, `SUPPORT_DESK_${line}\n`, { append: true });
  }
  const { code, stdout } = await project.task(["config"]);
  assertEquals(code, 0);
  assertEquals(row(stdout, "SUPPORT_DESK_URL"), ["https://rt.acme.example", ".env"]);
  assertStringIncludes(stdout, "queue 'Support'");
  assertFalse(stdout.includes("Warnings"), stdout);
});

Deno.test("config reports the one missing step after cp .env.example .env", async () => {
  await using project = await createProject();
  await Deno.copyFile(`${project.folder}/.env.example`, `${project.folder}/.env`);
  const { code, stderr } = await project.task(["config"]);
  assertEquals(code, 1);
  assertEquals(stderr.match(/^ {2}\S.*: .*must/gm)?.length, 1, stderr);
  assertStringIncludes(stderr, "'deno task config --init' sets a generated AUTH_SECRET in .env");
  assertEquals((await project.task(["config", "--init"])).code, 0);
  assertEquals((await project.task(["config"])).code, 0);
});

for (
  const [title, dotEnv] of Object.entries({
    "a secret": "# mine\nAUTH_SECRET=short\nPORT=1\n",
    "a quoted secret": "export AUTH_SECRET = 'a b'\n",
    "a key set": "AUTH_SECRET=\nAUTH_JWKS_URL=https://id.example/keys\n",
  })
) {
  Deno.test(`config --init changes nothing in a .env with ${title}`, async () => {
    await using project = await createProject(dotEnv);
    const { code, stdout } = await project.task(["config", "--init"]);
    assertEquals(code, 0);
    assertMatch(stdout, /nothing was changed/);
    assertEquals(await Deno.readTextFile(`${project.folder}/.env`), dotEnv);
  });
}

for (
  const [title, dotEnv] of Object.entries({
    "without a secret": "PORT=8001\n# end",
    "with an empty secret": "AUTH_SECRET=\r\nPORT=8001\r\n# end",
  })
) {
  Deno.test(`config --init keeps every other line of a .env ${title}`, async () => {
    await using project = await createProject(dotEnv);
    assertEquals((await project.task(["config", "--init"])).code, 0);
    const text = await Deno.readTextFile(`${project.folder}/.env`);
    assert(
      dotEnv.replace(/AUTH_SECRET=/, "").trim().split(/\r?\n/).every((line) => text.includes(line)),
    );
    assertMatch(text, /^AUTH_SECRET=[\w-]{64}\r?$/m);
  });
}

Deno.test("config explains a .env that cannot be read, and a folder that is not writable", async () => {
  await using project = await createProject();
  await Deno.mkdir(`${project.folder}/.env`);
  for (const task of ["config", "start"]) {
    const { code, stdout, stderr } = await project.task([task]);
    assertEquals(code, 1);
    assertStringIncludes(stdout + stderr, ".env cannot be read: ");
    assertFalse(stderr.includes("at file:"), stderr);
  }
  const { code, stderr } = await project.task(["config", "--init"]);
  assertEquals(code, 1);
  assertMatch(stderr, /^Cannot create \.env: [^\n]+\n$/);
});

Deno.test("config and start explain a .env that is not UTF-8, as PowerShell writes it", async () => {
  await using project = await createProject();
  const units = Uint16Array.from(`\uFEFF${DOT_ENV}`, (unit) => unit.charCodeAt(0));
  await Deno.writeFile(`${project.folder}/.env`, new Uint8Array(units.buffer), { mode: 0o600 });
  for (const task of ["config", "start"]) {
    const { code, stdout, stderr } = await project.task([task]);
    assertEquals(code, 1);
    assertStringIncludes(stdout + stderr, ".env cannot be read: it is not UTF-8 text");
    assertFalse((stdout + stderr).includes("NAME=value"));
  }
});

Deno.test("config explains its flags", async () => {
  await using project = await createProject(DOT_ENV);
  const { code, stderr } = await project.task(["config", "--verbose"]);
  assertEquals(code, 1);
  assertMatch(stderr, /^Usage: deno task config \[--init\]/);
});

for (const task of ["start", "erase"]) {
  Deno.test(`${task} names the sources of its configuration and warns as config does`, async () => {
    await using project = await createProject(`${DOT_ENV}PORT=70000\nSUPPORT_DESK_TOKEM=1\n`);
    const { code, stderr } = await project.task([task], { HOST: "127.0.0.1", LOG_LEVEL: "" });
    assertEquals(code, 1);
    assertStringIncludes(
      stderr,
      "Configuration: PORT, KV_PATH, AUTH_SECRET from .env; HOST from the environment\n",
    );
    assertMatch(stderr, /Warning: SUPPORT_DESK_TOKEM in .env .*is it SUPPORT_DESK_TOKEN\?/);
    assertMatch(stderr, /Invalid configuration .*\n {2}PORT: must /);
  });
}
