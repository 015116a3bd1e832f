/** A desk that accepts every connection, reads everything, and never responds. */
const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
console.log(`Listening on http://127.0.0.1:${listener.addr.port}`);

for await (const connection of listener) read(connection);

async function read(connection: Deno.Conn): Promise<void> {
  const bytes = new Uint8Array(4096);
  try {
    while (await connection.read(bytes) !== null);
  } catch {
    // The client has gone.
  }
  connection.close();
}
