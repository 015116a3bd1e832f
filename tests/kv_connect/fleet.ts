import { type FakeDesk, startFakeDesk } from "../demo/fake_desk.ts";
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

/** Everything that the desk is given for one submission: short, because the tests wait for it. */
export const DESK_TIMEOUT_MS = 1_000;
/** After these two nobody is at work on a handoff any more. */
export const GRACE_MS = 10_000;

/** How a process ends that is sent SIGKILL, as each is in the end. */
const KILLED = 137;
/** Outages, and what must be waited for after them. */
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
      const all = { ...server.env, ...deskEnv(desk), ...env };
      const launch = { kvPath: server.url, env: all, hangsAfterMs: HANGS_AFTER_MS };
      const service = starting.use(await startService(launch));
      service.ended().then((code) => {
        if (code !== KILLED) console.error("An instance ended by itself:", service.output.text);
      });
      return service;
    }),
  );
  await Promise.all(services.map(isReady));
  const started = starting.move();
  return { server, desk, services, [Symbol.asyncDispose]: () => started.disposeAsync() };
}

/** What points a service to a desk. */
export function deskEnv({ url, token, queue }: FakeDesk): Record<string, string> {
  return {
    SUPPORT_DESK_URL: url,
    SUPPORT_DESK_TOKEN: token,
    SUPPORT_DESK_QUEUE: queue,
    SUPPORT_DESK_TIMEOUT_MS: String(DESK_TIMEOUT_MS),
  };
}

/** Resolves when the store takes a write of this instance. */
export async function isReady(service: Service): Promise<void> {
  await waitFor(
    "the instance is ready",
    () => service.call("/readyz"),
    ({ status }) => status === 200,
  );
}

/** What a test counted, as one line of its output. */
export function report(figures: Record<string, number>): void {
  console.log(Object.entries(figures).map(([name, n]) => `${name} ${n}`).join(" · "));
}

export const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
