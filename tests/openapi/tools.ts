/** Commands, folders and a service for the tests of generated clients. */
import { assertEquals } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { complete, type Completed } from "../support/process.ts";
import { openService } from "../support/service.ts";
import { startNginx } from "../support/nginx.ts";

/** A generator that runs longer hangs, and is killed. */
const TIMEOUT_MS = 240_000;

/** Runs a command to its end, in the environment of the test run. */
export function attempt(
  command: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Completed> {
  const signal = AbortSignal.timeout(TIMEOUT_MS);
  const options = { args, cwd, env: { NO_COLOR: "1", ...env }, stdin: "null", signal } as const;
  return complete(new Deno.Command(command, options));
}

/** Runs a command, which must succeed, and returns its standard output. */
export async function run(...call: Parameters<typeof attempt>): Promise<string> {
  const { code, stdout, stderr } = await attempt(...call);
  assertEquals(code, 0, `${call[0]} ${call[1].join(" ")}\n${stdout}\n${stderr}`);
  return stdout;
}

/** A folder with the example client `name`, and the files that it needs. */
export async function openFolder(name: string, ...others: string[]) {
  const path = await Deno.makeTempDir({ prefix: "deskhand-" });
  for (const file of [name, ...others]) {
    await Deno.copyFile(new URL(`clients/${file}`, import.meta.url), `${path}/${file}`);
  }
  const text = await Deno.readTextFile(`${path}/${name}`);
  return { path, text, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** Returns the packages with versions in an example's command: `-p name@1.2.3`. */
export function packagesOf(example: string): Record<string, string> {
  return Object.fromEntries(
    [...example.matchAll(/-p (\S+)@(\d\S*)/g)].map(([, name, version]) => [name, version]),
  );
}

/** The service with a fake desk, below `/support/` of a real nginx. */
export async function openPrefixed() {
  const desk = startFakeDesk();
  const service = await openService({
    env: {
      ...deskEnv(desk),
    },
  });
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => service.app.fetch(request),
  );
  const upstream = `http://127.0.0.1:${server.addr.port}`;
  const nginx = await startNginx({ upstream, hasPrefix: true });
  return {
    url: nginx.url,
    token: await mintToken(AUTH_SECRET),
    async [Symbol.asyncDispose]() {
      await nginx[Symbol.asyncDispose]();
      await server.shutdown();
      await service[Symbol.asyncDispose]();
      await desk.close();
    },
  };
}
