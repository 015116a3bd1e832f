/** The least that a service could do to hand a submission to a desk with a deadline. */
const TIMEOUT_MS = 5000;
const [desk] = Deno.args;

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
}, async (request) => {
  const body = JSON.stringify(await request.json());
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const answer = await fetch(`${desk}/REST/2.0/ticket`, { method: "POST", body, signal });
    return Response.json(await answer.json(), { status: 201 });
  } catch (error) {
    const isOver = error instanceof DOMException && error.name === "TimeoutError";
    return Response.json({ reason: isOver ? "desk_timeout" : "desk_unreachable" }, { status: 201 });
  }
});
