import { assertEquals, assertMatch } from "@std/assert";

/** Runs the check with the permissions of the task `config:env`. */
async function validate(env: Record<string, string>) {
  const { HOME = "", DENO_DIR = "" } = Deno.env.toObject();
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-env", "--allow-read=.env", "config/validate.ts"],
    cwd: new URL("../..", import.meta.url),
    clearEnv: true,
    env: { HOME, DENO_DIR, NO_COLOR: "1", ...env },
  }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) =>
    new TextDecoder().decode(bytes)
  );
  return { code: output.code, stdout, stderr };
}

Deno.test("serve prints nothing about a valid environment", async () => {
  const env = { AUTH_SECRET: "a secret for tests, of 32 bytes or more", KV_PATH: "./deskhand.kv" };
  assertEquals(await validate(env), { code: 0, stdout: "", stderr: "" });
});

Deno.test("serve lists every problem of the environment, without a stack trace", async () => {
  const { code, stderr } = await validate({ AUTH_SECRET: "planted" });
  assertEquals(code, 1);
  assertMatch(
    stderr!,
    /^Invalid configuration .*\n {2}AUTH_SECRET: must .*\n {2}KV_PATH: must .*\n$/,
  );
});

Deno.test("serve names the misspelt variable in place of which another is missing", async () => {
  const { code, stderr } = await validate({
    AUTH_SECRET: "a secret for tests, of 32 bytes or more",
    KV_PAHT: "./planted.kv",
  });
  assertEquals(code, 1);
  assertMatch(stderr!, /^Warning: KV_PAHT in the environment .*\(is it KV_PATH\?\).*\nInvalid/);
});
