import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import { PendingBodies } from "./expected_bodies.ts";
import { ConnectionCutError, drainBody } from "./unread_body.ts";

/** How long after connections could not be accepted it is tried again, in milliseconds. */
const RELISTEN_DELAY_MS = 1_000;

export interface Address {
  hostname: string;
  port: number;
}

/** How long a stop waits for bodies that are still coming, in milliseconds. */
const PENDING_BODIES_TIMEOUT_MS = 1_000;

/** The address cannot be listened on. The message says what to do. */
export class ListenError extends Error {
  override name = "ListenError";
}

/** What the server knows and a request does not show. */
export interface Bindings {
  /** The host that Deno puts into the URL of a request without one. */
  fallbackHost?: string;
  /** Says that the body was read, so that the end of the server cannot break it off any more. */
  bodyIsRead?: () => void;
}

export type Handler = (request: Request, bindings: Bindings) => Response | Promise<Response>;

/**
 * Serves until it is told to stop. Where a connection cannot be accepted, for want of file
 * descriptors for instance, Deno ends its server, though not what is under way: then it listens
 * again. `address` is null where the platform decides.
 *
 * @throws {ListenError}
 */
export function listen(
  address: Address | null,
  handler: Handler,
  { log, clock, version }: { log: Log; clock: Pick<Clock, "wait">; version: string },
): { stop(): Promise<void> } {
  const bodies = new PendingBodies();
  let server = serve(address, handler, bodies, { log, version });
  let isStopping = false;
  // A port that was any is the same from now on.
  const same = address && { ...address, port: server.addr.port };

  async function listenAgain(error: Error): Promise<void> {
    log.error("accept_failed", "Cannot accept connections; listening again", {
      error: error.message,
    });
    await clock.wait(RELISTEN_DELAY_MS);
    if (isStopping) return;
    try {
      server = serve(same, handler, bodies, { log, version });
    } catch (error) {
      return await listenAgain(error as Error);
    }
    server.finished.catch(listenAgain);
  }

  server.finished.catch(listenAgain);
  return {
    /** Accepts nothing more, and resolves when every connection is closed. */
    async stop() {
      isStopping = true;
      if (!bodies.areRead()) {
        await Promise.race([bodies.read(), clock.wait(PENDING_BODIES_TIMEOUT_MS)]);
      }
      // A server that has ended already has nothing to shut down.
      await server.shutdown().catch(() => {});
    },
  };
}

function serve(
  address: Address | null,
  handler: Handler,
  bodies: PendingBodies,
  { log, version }: { log: Log; version: string },
): Deno.HttpServer<Deno.NetAddr> {
  const onListen = ({ hostname, port }: Deno.NetAddr) =>
    log.info("listening", "Listening", {
      version,
      address: `http://${hostForUrl(hostname)}:${port}`,
    });
  const onError = (error: unknown) => {
    if (!(error instanceof ConnectionCutError)) {
      log.error("unhandled_error", "Unhandled error", { error: (error as Error).name });
    }
    return new Response(null, { status: 500 });
  };
  const bindings: Bindings = {};
  const respond = async (request: Request) => {
    if (request.method !== "POST") return drainBody(request, await handler(request, bindings));
    const bodyIsRead = bodies.expect();
    try {
      return await drainBody(request, await handler(request, { ...bindings, bodyIsRead }));
    } finally {
      bodyIsRead();
    }
  };
  try {
    const server = Deno.serve({ ...address, onListen, onError }, respond);
    // On Deno Deploy every request comes with a host.
    if (address !== null) bindings.fallbackHost = fallbackHost(server.addr);
    return server;
  } catch (error) {
    throw new ListenError(
      `Cannot listen on ${address?.hostname} port ${address?.port}: ${(error as Error).message}. ` +
        "Set HOST to an address of this machine, and PORT to a port that no other process listens on",
    );
  }
}

/** As Deno has it (`ext/http/request_properties.rs`). */
function fallbackHost({ hostname, port }: Deno.NetAddr): string {
  const isLocal = /^127\.|^0\.0\.0\.0$|^::1?$/.test(hostname);
  const host = isLocal ? "localhost" : hostForUrl(hostname);
  return port === 80 ? host : `${host}:${port}`;
}

function hostForUrl(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
