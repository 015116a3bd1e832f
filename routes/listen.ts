import type { Clock, Log } from "../domain/ports.ts";

/** How long after connections could not be accepted it is tried again, in milliseconds. */
const PAUSE_MS = 1_000;

export interface Address {
  hostname: string;
  port: number;
}

/** The address cannot be listened on. The message says what to do. */
export class CannotListen extends Error {
  override name = "CannotListen";
}

/**
 * Serves until it is told to stop. Where a connection cannot be accepted, for want of file
 * descriptors for instance, Deno ends its server, though not what is under way: then it listens
 * again. `address` is null where the platform decides.
 *
 * @throws {CannotListen}
 */
export function listen(
  address: Address | null,
  handler: (request: Request) => Response | Promise<Response>,
  { log, clock }: { log: Log; clock: Pick<Clock, "wait"> },
): { stop(): Promise<void> } {
  let server = serve(address, handler, log);
  let isStopping = false;
  // A port that was any is the same from now on.
  const same = address && { ...address, port: server.addr.port };

  async function listenAgain(error: Error): Promise<void> {
    log.error("Cannot accept connections: listening again", { error: error.message });
    await clock.wait(PAUSE_MS);
    if (isStopping) return;
    try {
      server = serve(same, handler, log);
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
      // A server that has ended already has nothing to shut down.
      await server.shutdown().catch(() => {});
    },
  };
}

function serve(
  address: Address | null,
  handler: (request: Request) => Response | Promise<Response>,
  log: Log,
): Deno.HttpServer<Deno.NetAddr> {
  const onListen = ({ hostname, port }: Deno.NetAddr) =>
    log.info("Listening", { address: `http://${hostname}:${port}` });
  try {
    return Deno.serve({ ...address, onListen }, handler);
  } catch (error) {
    throw new CannotListen(
      `Cannot listen on ${address?.hostname} port ${address?.port}: ${(error as Error).message}. ` +
        "Set HOST to an address of this machine, and PORT to a port that no other process listens on",
    );
  }
}
