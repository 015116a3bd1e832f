import type { Clock } from "../../domain/ports/clock.ts";
import type { Log } from "../../domain/ports/log.ts";
import { PendingBodies } from "./pending_bodies.ts";
import { ConnectionCutError, drainBody } from "./unread_body.ts";

/** The delay before listening again after accepting connections has failed, in milliseconds. */
const RELISTEN_DELAY_MS = 1_000;

export interface Address {
  hostname: string;
  port: number;
}

/** How long a shutdown waits for bodies that are still arriving, in milliseconds. */
const PENDING_BODIES_TIMEOUT_MS = 1_000;

/** Listening on the address failed. The message says what to do. */
export class ListenError extends Error {
  override name = "ListenError";
}

/** What the server passes to handlers in addition to the request. */
export interface Bindings {
  /** The host that Deno puts into the URL of a request without one. */
  fallbackHost?: string;
  /** When a request arrived that waited before it was handled, by `clock.elapsed`. */
  arrivedAt?: number;
  /** Whether too many requests arrive for this one to be processed, so that it must be rejected. */
  isOverloaded?: boolean;
  /** Reports that the body has been read, so that a shutdown need not wait for it. */
  onBodyRead?: () => void;
}

export type Handler = (request: Request, bindings: Bindings) => Response | Promise<Response>;

/**
 * Serves requests until `stop` is called. If a connection cannot be accepted, for example because no
 * file descriptor is left, Deno closes the listener, though not the requests in flight; the server
 * then listens again. `address` is null if the platform chooses it.
 *
 * @throws {ListenError} The address is in use or does not belong to this machine.
 */
export function listen(
  address: Address | null,
  handler: Handler,
  { log, clock, version }: { log: Log; clock: Pick<Clock, "wait">; version: string },
): { stop(): Promise<void> } {
  const bodies = new PendingBodies();
  let server = serve(address, handler, bodies, { log, version });
  let isStopping = false;
  // If port 0 was requested, the assigned port is used from now on.
  const sameAddress = address && { ...address, port: server.addr.port };

  async function listenAgain(error: Error): Promise<void> {
    log.error("accept_failed", "Cannot accept connections; listening again", {
      error: error.message,
    });
    await clock.wait(RELISTEN_DELAY_MS);
    if (isStopping) return;
    try {
      server = serve(sameAddress, handler, bodies, { log, version });
    } catch (error) {
      return await listenAgain(error as Error);
    }
    server.finished.catch(listenAgain);
  }

  server.finished.catch(listenAgain);
  return {
    /** Stops accepting connections and resolves once all of them are closed. */
    async stop() {
      isStopping = true;
      if (!bodies.isEmpty()) {
        await Promise.race([bodies.drained(), clock.wait(PENDING_BODIES_TIMEOUT_MS)]);
      }
      // A server that has already stopped rejects.
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
  const onListen = (addr: Deno.Addr) =>
    log.info("listening", "Listening", { version, address: addressForLog(addr) });
  const onError = (error: unknown) => {
    if (!(error instanceof ConnectionCutError)) {
      log.error("unhandled_error", "Unhandled error", { error: (error as Error).name });
    }
    return new Response(null, { status: 500 });
  };
  const bindings: Bindings = {};
  const respond = async (request: Request) => {
    if (request.method !== "POST") return drainBody(request, await handler(request, bindings));
    const onBodyRead = bodies.add();
    try {
      return await drainBody(request, await handler(request, { ...bindings, onBodyRead }));
    } finally {
      onBodyRead();
    }
  };
  try {
    const server = Deno.serve({ ...address, onListen, onError }, respond);
    // On Deno Deploy, every request has a host.
    if (address !== null) bindings.fallbackHost = fallbackHost(server.addr);
    return server;
  } catch (error) {
    throw new ListenError(
      `Cannot listen on ${address?.hostname} port ${address?.port}: ${(error as Error).message}. ` +
        "Set HOST to an address of this machine and PORT to a free port",
    );
  }
}

/** Returns the host that Deno uses for requests without one (`ext/http/request_properties.rs`). */
function fallbackHost({ hostname, port }: Deno.NetAddr): string {
  const isLocal = /^127\.|^0\.0\.0\.0$|^::1?$/.test(hostname);
  const host = isLocal ? "localhost" : hostForUrl(hostname);
  return port === 80 ? host : `${host}:${port}`;
}

/** Describes where the server listens. Deno Deploy does not promise that it is a TCP port. */
function addressForLog(addr: Deno.Addr): string {
  return "hostname" in addr ? `http://${hostForUrl(addr.hostname)}:${addr.port}` : addr.transport;
}

function hostForUrl(hostname: string): string {
  return hostname.includes(":") ? `[${hostname}]` : hostname;
}
