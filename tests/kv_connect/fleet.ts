import { type FakeDesk, startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnv } from "../support/constants.ts";
import { type Service, startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
import type { Network } from "./network.ts";
import { type KvServer, startKvServer } from "./server.ts";

/** Several instances of the service that share one KV Connect server and one fake desk. */
export interface Fleet extends AsyncDisposable {
  server: KvServer;
  desk: FakeDesk;
  services: Service[];
}

/** The desk timeout of one submission: short, because the tests wait for it. */
export const DESK_TIMEOUT_MS = 1_000;
/** After the desk timeout and this, no process works on a handoff any more. */
export const GRACE_MS = 10_000;

/** The exit code after SIGKILL, by which each process ends. */
const KILLED = 137;
/** Longer than the outages and the waits after them. */
export const HANGS_AFTER_MS = 150_000;

/** Starts `count` instances, with the server in a network if given; resolves when each can store. */
export async function startFleet(
  count: number,
  env: Record<string, string> = {},
  network?: Network,
): Promise<Fleet> {
  await using starting = new AsyncDisposableStack();
  const server = starting.use(await startKvServer(network));
  const desk = starting.adopt(startFakeDesk(), (desk) => desk.close());
  const services = await Promise.all(
    Array.from({ length: count }, async () => {
      const all = { ...server.env, ...hurriedDeskEnv(desk), ...env };
      const launch = { kvPath: server.url, env: all, hangsAfterMs: HANGS_AFTER_MS };
      const service = starting.use(await startService(launch));
      service.ended().then((code) => {
        if (code !== KILLED) console.error("An instance exited by itself:", service.output.text);
      });
      return service;
    }),
  );
  await Promise.all(services.map(isReady));
  const started = starting.move();
  return { server, desk, services, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** The variables that configure a desk with {@linkcode DESK_TIMEOUT_MS}. */
export function hurriedDeskEnv(desk: FakeDesk): Record<string, string> {
  return { ...deskEnv(desk), SUPPORT_DESK_TIMEOUT_MS: String(DESK_TIMEOUT_MS) };
}

/** Resolves when the instance can write to the store. */
export async function isReady(service: Service): Promise<void> {
  await waitFor(
    "the instance is ready",
    () => service.call("/readyz"),
    ({ status }) => status === 200,
  );
}

/** Prints what a test counted, in one line. */
export function report(figures: Record<string, number>): void {
  console.log(Object.entries(figures).map(([name, n]) => `${name} ${n}`).join(" · "));
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
