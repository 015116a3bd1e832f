/** A proxy before a desk: it passes everything on, but spoils what is said about creations. */
import { type Behavior, respondWith } from "../support/raw_server.ts";

/**
 * What the client of a creation meets. `forward` has the desk make the ticket, and resolves when it
 * is made.
 */
export type Spoil = (forward: () => Promise<unknown>) => Behavior | Promise<Behavior>;

export interface Proxy {
  url: string;
  close(): Promise<void>;
}

/** Starts a proxy on loopback before the desk at `target`. */
export function startProxy(target: string, spoil: Spoil): Proxy {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.TcpConn>();

  async function serve(connection: Deno.TcpConn): Promise<void> {
    connections.add(connection);
    try {
      const request = await readRequest(connection, target);
      const forward = () => passedOn(request);
      const meet = request.method === "POST" ? await spoil(forward) : await forward();
      await meet(connection, "");
    } catch {
      // The client has hung up, or the proxy is being closed.
    } finally {
      connections.delete(connection);
      try {
        connection.close();
      } catch {
        // Closed by close().
      }
    }
  }

  async function listen(): Promise<void> {
    const serving: Promise<void>[] = [];
    for await (const connection of listener) serving.push(serve(connection));
    await Promise.all(serving);
  }
  const listening = listen();

  return {
    url: `http://127.0.0.1:${listener.addr.port}`,
    async close() {
      listener.close();
      for (const connection of connections) connection.close();
      await listening;
    },
  };
}

async function passedOn(request: Request): Promise<Behavior> {
  const response = await fetch(request);
  const type = response.headers.get("Content-Type") ?? "text/plain";
  const body = new Uint8Array(await response.arrayBuffer());
  return respondWith(response.status, body, `Content-Type: ${type}`);
}

/** Reads one whole request, as one to be sent to `target`. */
async function readRequest(connection: Deno.TcpConn, target: string): Promise<Request> {
  const bytes = new Uint8Array(64 * 1024);
  for (let length = 0;;) {
    const read = await connection.read(bytes.subarray(length));
    if (read === null) throw new Error("The client hung up");
    length += read;
    // One character a byte, so that a place in the text is one in the bytes.
    const text = new TextDecoder("latin1").decode(bytes.subarray(0, length));
    const start = text.indexOf("\r\n\r\n") + 4;
    const promised = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (start < 4 || length < start + promised) continue;
    const [method, path] = text.split(" ", 2) as [string, string];
    const headers = [...text.slice(0, start).matchAll(/\r\n([\w-]+): (.*)/g)]
      .map(([, name, value]) => [name, value] as [string, string])
      .filter(([name]) => !/^(?:host|connection|content-length|accept-encoding)$/i.test(name));
    const body = method === "POST" ? bytes.slice(start, length) : undefined;
    return new Request(target + path, { method, headers, body, redirect: "manual" });
  }
}
