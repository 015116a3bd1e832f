import { assertEquals, assertMatch } from "@std/assert";

/** Runs the check with the permissions that the task has. */
async function check(env: Record<string, string>) {
  const { HOME = "", DENO_DIR = "" } = Deno.env.toObject();
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-env", "config/validate.ts"],
    cwd: new URL("../..", import.meta.url),
    clearEnv: true,
    env: { HOME, DENO_DIR, NO_COLOR: "1", ...env },
  }).output();
  const [said, complained] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code: output.code, said, complained };
}

Deno.test("check is content with an environment that is a configuration", async () => {
  const env = { AUTH_SECRET: "a secret for tests, of 32 bytes or more", KV_PATH: "./deskhand.kv" };
  assertEquals(await check(env), { code: 0, said: "", complained: "" });
});

Deno.test("check fails with every problem and without a stack trace otherwise", async () => {
  const { code, complained } = await check({ AUTH_SECRET: "planted" });
  assertEquals(code, 1);
  assertMatch(
    complained!,
    /^Invalid configuration .*\n {2}AUTH_SECRET: must .*\n {2}KV_PATH: must .*\n$/,
  );
});

Deno.test("deno task config reads .env, as start, token and smoke do", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const copied = await new Deno.Command("cp", {
      args: ["-r", "deno.json", "deno.lock", "config", directory],
      cwd: new URL("../..", import.meta.url),
    }).output();
    assertEquals(copied.success, true);
    const { HOME = "", PATH = "", DENO_DIR = "" } = Deno.env.toObject();
    const run = async (dotEnv: string) => {
      await Deno.writeTextFile(`${directory}/.env`, dotEnv);
      const { code, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["task", "--quiet", "--node-modules-dir=manual", "config"],
        cwd: directory,
        clearEnv: true,
        env: { HOME, PATH, ...DENO_DIR !== "" && { DENO_DIR }, NO_COLOR: "1" },
      }).output();
      return { code, complained: new TextDecoder().decode(stderr) };
    };
    const dotEnv = "AUTH_SECRET='a secret for tests, of 32 bytes or more'\nKV_PATH=./deskhand.kv\n";
    assertEquals(await run(dotEnv), { code: 0, complained: "" });
    const { code, complained } = await run(`${dotEnv}SUPPORT_DESK_REQUESTOR=anybody\n`);
    assertEquals(code, 1);
    assertMatch(complained, /^Invalid configuration .*\n {2}SUPPORT_DESK_REQUESTOR: must .*\n$/);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
