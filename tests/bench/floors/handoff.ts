/** The minimal service that hands a submission to a desk within a deadline. */
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
    const response = await fetch(`${desk}/REST/2.0/ticket`, { method: "POST", body, signal });
    return Response.json(await response.json(), { status: 201 });
  } catch (error) {
    const isTimeout = error instanceof DOMException && error.name === "TimeoutError";
    return Response.json({ reason: isTimeout ? "desk_timeout" : "desk_unreachable" }, {
      status: 201,
    });
  }
});
