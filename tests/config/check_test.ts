import { assertEquals, assertMatch } from "@std/assert";

/** Runs the check with the permissions that the task has. */
async function check(env: Record<string, string>) {
  const { HOME = "", DENO_DIR = "" } = Deno.env.toObject();
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-env", "config/check.ts"],
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
  assertMatch(complained!, /^Cannot start: .*\n {2}AUTH_SECRET: must .*\n {2}KV_PATH: must .*\n$/);
});
