/** Responds the same to every request, to measure the load generator. */
const BODY = JSON.stringify({ ok: true });
const HEADERS = { "Content-Type": "application/json" };

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
}, () => new Response(BODY, { headers: HEADERS }));
