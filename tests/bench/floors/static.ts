/** Answers the same to everything: what the load can ask of a server that does nothing. */
const BODY = JSON.stringify({ ok: true });
const HEADERS = { "Content-Type": "application/json" };

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
}, () => new Response(BODY, { headers: HEADERS }));
