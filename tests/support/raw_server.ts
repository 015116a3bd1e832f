/** Servers on loopback that speak raw TCP, and so can break every rule of HTTP. */
import net from "node:net";

/** What a server does with a connection once it has read a request, of which it gets the text. */
export type Behavior = (connection: Deno.TcpConn, request: string) => Promise<void>;

export interface RawServer extends AsyncDisposable {
  port: number;
  url: string;
  /** Each request that arrived, with one character for each byte. */
  received: string[];
  /** The first line of each request that arrived. */
  requests: string[];
  /** How many connections are open. */
  open(): number;
  /** Closes every connection; from then on nobody listens there. */
  close(): Promise<void>;
}

const encoder = new TextEncoder();

/** Starts a server that reads one request from each connection, behaves, and closes it. */
export function startRawServer(behavior: Behavior): RawServer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const received: string[] = [];
  const requests: string[] = [];
  const connections = new Set<Deno.TcpConn>();

  async function serve(connection: Deno.TcpConn): Promise<void> {
    connections.add(connection);
    try {
      const request = await readRequest(connection);
      received.push(request);
      requests.push(request.split("\r\n", 1)[0]!);
      await behavior(connection, request);
    } catch {
      // The client has hung up, or the server is closing.
    } finally {
      connections.delete(connection);
      closeQuietly(connection);
    }
  }

  async function accept(): Promise<void> {
    const serving: Promise<void>[] = [];
    for await (const connection of listener) serving.push(serve(connection));
    await Promise.all(serving);
  }
  const accepting = accept();

  const close = async () => {
    closeQuietly(listener);
    for (const connection of connections) closeQuietly(connection);
    await accepting;
  };
  const { port } = listener.addr;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    received,
    requests,
    open: () => connections.size,
    close,
    [Symbol.asyncDispose]: close,
  };
}

/** Starts a server that resets each connection (RST, which Deno cannot send) once it has read. */
export async function startResettingServer(): Promise<Pick<RawServer, "url" | "close">> {
  const server = net.createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.resetAndDestroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as net.AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A port on which nobody listens. */
export function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

/** The head of a response that announces a body of `length` bytes. */
export function head(status: number | string, length: number, ...headers: string[]): string {
  return [
    `HTTP/1.1 ${status}`,
    "Connection: close",
    `Content-Length: ${length}`,
    ...headers,
    "\r\n",
  ].join("\r\n");
}

/** Responds with a status and a body, then closes the connection. */
export function respondWith(
  status: number | string,
  body: string | Uint8Array = "",
  ...headers: string[]
): Behavior {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  return async (connection) => {
    await write(connection, head(status, bytes.length, ...headers));
    await write(connection, bytes);
  };
}

/** Writes `start`, then nothing more until the client hangs up. */
export function stallAfter(start: string): Behavior {
  return async (connection) => {
    await write(connection, start);
    await readToEnd(connection);
  };
}

/** Writes `start`, then closes the connection. */
export function closeAfter(start: string): Behavior {
  return (connection) => write(connection, start);
}

/** Writes `start`, then one byte of `rest` every few milliseconds. */
export function drip(start: string, rest: string): Behavior {
  return async (connection) => {
    await write(connection, start);
    for (const byte of encoder.encode(rest)) {
      await write(connection, Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
}

/** Writes all of it. */
export async function write(connection: Deno.Conn, text: string | Uint8Array): Promise<void> {
  let bytes = typeof text === "string" ? encoder.encode(text) : text;
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}

/** Reads until the client hangs up. */
export async function readToEnd(connection: Deno.Conn): Promise<void> {
  const rest = new Uint8Array(4096);
  while (await connection.read(rest) !== null);
}

/** Reads a whole GET or POST request, or the first bytes of anything else. */
async function readRequest(connection: Deno.TcpConn): Promise<string> {
  // One character a byte, so that characters can be counted against Content-Length.
  const decoder = new TextDecoder("latin1");
  const chunk = new Uint8Array(16 * 1024);
  let text = "";
  for (;;) {
    const length = await connection.read(chunk);
    if (length === null) throw new Error("The client hung up");
    text += decoder.decode(chunk.subarray(0, length));
    if (!/^(?:GET|POST) /.test(text)) return text;
    const end = text.indexOf("\r\n\r\n");
    const announced = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (end >= 0 && text.length >= end + 4 + announced) return text;
  }
}

function closeQuietly(closer: { close(): void }): void {
  try {
    closer.close();
  } catch {
    // It is closed.
  }
}
