/**
 * What Deno Deploy gives an app, as its documentation says: the runtime with all permissions and no
 * flag of the app's, variables, an address to listen on, and a KV that is opened without a path.
 */
import { assert, assertEquals } from "@std/assert";
import { deskEnv } from "./constants.ts";
import { type Service, startService } from "./service_process.ts";

/** Deploy documents Deno 2.5. */
const RUNTIME = "deno@2.5.7";

/** The variables that Deploy documents, and the address, which it chooses. */
export const DEPLOY_ENV: Record<string, string> = {
  DENO_DEPLOY: "true",
  DENO_DEPLOY_ORGANIZATION_ID: "0b9f7f0c-6a55-4d0e-9f3c-3f1d1c0c0001",
  DENO_DEPLOY_ORGANIZATION_SLUG: "acme",
  DENO_DEPLOY_APPLICATION_ID: "0b9f7f0c-6a55-4d0e-9f3c-3f1d1c0c0002",
  DENO_DEPLOY_APPLICATION_SLUG: "deskhand",
  DENO_DEPLOY_BUILD_ID: "abcdefgh1234",
  DENO_DEPLOYMENT_ID: "abcdefgh1234567890",
  DENO_TIMELINE: "production",
  DENO_SERVE_ADDRESS: "tcp:127.0.0.1:0",
};

let deno: Promise<string> | undefined;

/** Returns the path of Deploy's runtime, which npx installs if necessary. */
export function deployRuntime(): Promise<string> {
  return deno ??= installRuntime();
}

async function installRuntime(): Promise<string> {
  const { stdout, stderr, success } = await new Deno.Command("npx", {
    args: ["-y", RUNTIME, "eval", "console.log(Deno.version.deno, Deno.execPath())"],
    env: { NO_COLOR: "1" },
  }).output();
  assert(success, new TextDecoder().decode(stderr));
  const [version, path] = new TextDecoder().decode(stdout).trim().split(" ");
  assertEquals(`deno@${version}`, RUNTIME);
  return path!;
}

export interface DeployLaunch {
  /** What `Deno.openKv()` opens: a file, or the URL of a KV Connect server. */
  database?: string;
  /** The path of the runtime. By default the one that Deploy documents. */
  deno?: string;
  env?: Record<string, string>;
  /** A program that runs the rest of its arguments. */
  within?: string[];
  /** The time after which the process is killed. */
  hangsAfterMs?: number;
}

/** Starts the service as Deploy does; resolves when it listens. */
export async function startOnDeploy(launch: DeployLaunch): Promise<Service> {
  const { database = "", deno = await deployRuntime(), env, ...rest } = launch;
  return await startService({
    ...rest,
    kvPath: "",
    command: [deno, "run", "-A", "main.ts"],
    env: { PORT: "", ...DEPLOY_ENV, DENO_KV_DEFAULT_PATH: database, ...env },
  });
}

/** The variables of a desk with the timeout that the deployment guide recommends for Deploy. */
export function deskEnvOnDeploy(desk: { url: string }): Record<string, string> {
  return { ...deskEnv(desk), SUPPORT_DESK_TIMEOUT_MS: "4000" };
}
