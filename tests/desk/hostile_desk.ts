import net from "node:net";

/** What a hostile desk does with a connection once it has read a request, named by its first line. */
export type Behaviour = (connection: Deno.TcpConn, request: string) => Promise<void>;

export interface HostileDesk {
  url: string;
  /** The first line of each request that arrived. */
  requests: string[];
  close(): Promise<void>;
}

const encoder = new TextEncoder();

/** A desk on loopback that speaks raw TCP, and so can break every rule of HTTP. */
export function startHostileDesk(behaviour: Behaviour): HostileDesk {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const requests: string[] = [];
  const connections = new Set<Deno.TcpConn>();

  async function serve(connection: Deno.TcpConn): Promise<void> {
    connections.add(connection);
    try {
      const request = await readRequest(connection);
      requests.push(request);
      await behaviour(connection, request);
    } catch {
      // The client has hung up, or the desk is being closed: the test has seen what it wanted.
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
    requests,
    async close() {
      listener.close();
      for (const connection of connections) connection.close();
      await listening;
    },
  };
}

/** A desk that resets the connection (RST, which `Deno.TcpConn` cannot send) when it has read. */
export async function startResettingDesk(): Promise<Pick<HostileDesk, "url" | "close">> {
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

/** The head of an answer, which promises a body of `length` bytes. */
export function head(status: number | string, length: number, ...headers: string[]): string {
  return [
    `HTTP/1.1 ${status}`,
    "Connection: close",
    `Content-Length: ${length}`,
    ...headers,
    "\r\n",
  ].join("\r\n");
}

/** Answers with a status and a body, then closes. */
export function answering(
  status: number | string,
  body: string | Uint8Array = "",
  ...headers: string[]
): Behaviour {
  const bytes = typeof body === "string" ? encoder.encode(body) : body;
  return async (connection) => {
    await write(connection, head(status, bytes.length, ...headers));
    await write(connection, bytes);
  };
}

/** Writes what is given, then says no more until the client hangs up. */
export function stallingAfter(start: string): Behaviour {
  return async (connection) => {
    await write(connection, start);
    await untilHungUp(connection);
  };
}

/** Writes what is given, then closes in the middle of it all. */
export function closingAfter(start: string): Behaviour {
  return (connection) => write(connection, start);
}

/** Writes `start`, then one byte of `rest` every few milliseconds. */
export function dripping(start: string, rest: string): Behaviour {
  return async (connection) => {
    await write(connection, start);
    for (const byte of encoder.encode(rest)) {
      await write(connection, Uint8Array.of(byte));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
}

export async function write(connection: Deno.TcpConn, text: string | Uint8Array): Promise<void> {
  let bytes = typeof text === "string" ? encoder.encode(text) : text;
  while (bytes.length > 0) bytes = bytes.subarray(await connection.write(bytes));
}

async function untilHungUp(connection: Deno.TcpConn): Promise<void> {
  const rest = new Uint8Array(1024);
  while (await connection.read(rest) !== null);
}

/** Reads a whole request, or as much as is no HTTP; returns its first line. */
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
    const promised = Number(/content-length: (\d+)/i.exec(text)?.[1] ?? 0);
    if (end >= 0 && text.length >= end + 4 + promised) return text.split("\r\n", 1)[0]!;
  }
}
