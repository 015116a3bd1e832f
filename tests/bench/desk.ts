/** A desk that creates each ticket in a tenth of a second, however many concurrently. */
const TAKES_MS = 100;
let tickets = 0;

const port = Number(Deno.env.get("PORT"));
Deno.serve({ hostname: "127.0.0.1", port, onListen() {} }, async (request) => {
  await request.json();
  await new Promise((resolve) => setTimeout(resolve, TAKES_MS));
  const id = String(++tickets);
  const _url = new URL(`/REST/2.0/ticket/${id}`, request.url).href;
  return Response.json({ id, type: "ticket", _url }, { status: 201 });
});
