/** Clients that hold connections open, and a normal one, all on loopback. */
import { since } from "../support/service_process.ts";

const BATCH = 250;

/** Connections on which only `start` was sent. */
export interface Crowd extends AsyncDisposable {
  /** How many the server has closed so far. */
  closed(): number;
  /** What the server sent on them, each response once. */
  received: Set<string>;
  /** Resolves when the server has closed all of them, or after `limitMs`. */
  allClosed(limitMs: number): Promise<boolean>;
}

/** Opens `count` connections, sends `start` on each, and then `drip` every second, if given. */
export async function crowd(
  port: number,
  count: number,
  start: string,
  drip?: string,
): Promise<Crowd> {
  const connections: Deno.TcpConn[] = [];
  const received = new Set<string>();
  const ends: Promise<void>[] = [];
  let closed = 0;
  const encoder = new TextEncoder();
  const first = encoder.encode(start);

  async function watch(connection: Deno.TcpConn): Promise<void> {
    const buffer = new Uint8Array(512);
    try {
      for (let read; (read = await connection.read(buffer)) !== null;) {
        received.add(new TextDecoder().decode(buffer.subarray(0, read)).split("\r\n")[0]!);
      }
    } catch {
      // Reset by the server.
    }
    closed++;
  }

  for (let opened = 0; opened < count; opened += BATCH) {
    const batch = Array.from({ length: Math.min(BATCH, count - opened) }, async () => {
      const connection = await Deno.connect({ hostname: "127.0.0.1", port });
      connections.push(connection);
      if (first.length > 0) await connection.write(first);
      ends.push(watch(connection));
    });
    await Promise.all(batch);
  }
  const bytes = encoder.encode(drip ?? "");
  const timer = drip === undefined ? undefined : setInterval(() => {
    for (const connection of connections) connection.write(bytes).catch(() => {});
  }, 1000);
  return {
    received,
    closed: () => closed,
    async allClosed(limitMs) {
      let timeout;
      const limit = new Promise<void>((resolve) => timeout = setTimeout(resolve, limitMs));
      await Promise.race([Promise.all(ends), limit]);
      clearTimeout(timeout);
      return closed === count;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const connection of connections) {
        try {
          connection.close();
        } catch {
          // Closed already.
        }
      }
      await Promise.all(ends);
    },
  };
}

/**
 * Calls over a connection of its own, and returns the status and the milliseconds that it took. For
 * one that gets no response within five seconds the status is null.
 */
export async function callAlone(port: number, path: string): Promise<[number | null, number]> {
  const started = performance.now();
  const connection = await Deno.connect({ hostname: "127.0.0.1", port });
  const timeout = setTimeout(() => connection.close(), 5000);
  try {
    const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`;
    await connection.write(new TextEncoder().encode(request));
    const buffer = new Uint8Array(4096);
    const read = await connection.read(buffer) ?? 0;
    const status = /^HTTP\/1\.1 (\d+) /.exec(new TextDecoder().decode(buffer.subarray(0, read)));
    return [status && Number(status[1]), since(started)];
  } catch {
    return [null, since(started)];
  } finally {
    clearTimeout(timeout);
    try {
      connection.close();
    } catch {
      // Closed by the timeout.
    }
  }
}
