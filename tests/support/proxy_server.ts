/**
 * An HTTP proxy on loopback that records the first line of whatever reaches it, and answers every
 * request itself, as a proxy that must not be trusted.
 */
export function startProxy() {
  const seen: string[] = [];
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const connections = new Set<Deno.TcpConn>();

  async function answer(connection: Deno.TcpConn): Promise<void> {
    connections.add(connection);
    try {
      const bytes = new Uint8Array(4096);
      const count = await connection.read(bytes) ?? 0;
      seen.push(new TextDecoder("latin1").decode(bytes.subarray(0, count)).split("\r\n")[0]!);
      const answer =
        'HTTP/1.1 200 OK\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{"keys":[]}';
      await connection.write(new TextEncoder().encode(answer));
      connection.close();
    } catch {
      // The client has gone.
    } finally {
      connections.delete(connection);
    }
  }

  const ended = (async () => {
    for await (const connection of listener) answer(connection);
  })();

  return {
    port: listener.addr.port,
    seen,
    async [Symbol.asyncDispose]() {
      listener.close();
      for (const connection of connections) connection.close();
      await ended.catch(() => {});
    },
  };
}
