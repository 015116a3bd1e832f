/** What the tests of generated clients share: commands, folders, and a service to call. */
import { assert } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, deskEnv } from "../support/constants.ts";
import { openService } from "../support/service.ts";
import { startNginx } from "../support/nginx.ts";

/** A generator that takes longer hangs, and is ended. */
const LIMIT_MS = 240_000;

export interface Ran {
  success: boolean;
  /** Standard output. */
  text: string;
  /** Standard error. */
  complaint: string;
}

export async function attempt(
  command: string,
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Ran> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    args,
    cwd,
    env: { NO_COLOR: "1", ...env },
    stdin: "null",
    signal: AbortSignal.timeout(LIMIT_MS),
  }).output();
  const [text, complaint] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  return { success, text: text!, complaint: complaint! };
}

/** Runs a command, which must succeed, and returns its standard output. */
export async function run(...call: Parameters<typeof attempt>): Promise<string> {
  const { success, text, complaint } = await attempt(...call);
  assert(success, `${call[0]} ${call[1].join(" ")}\n${text}\n${complaint}`);
  return text;
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

/** The packages with versions that an example's command names: `-p name@1.2.3`. */
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
