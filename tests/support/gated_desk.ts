import { startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnv } from "./constants.ts";
import { within } from "./wait_for.ts";

/**
 * A fake desk that withholds its responses to creations: the tickets exist, and the service learns
 * of them only when the test releases the responses.
 */
export function startGatedDesk() {
  const desk = startFakeDesk();
  const gates: { body: string; open(): void }[] = [];
  const waiting = new Set<{ count: number; resolve(): void }>();
  let isOpen = false;

  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => {
      const { pathname, search } = new URL(request.url);
      const headers = new Headers(request.headers);
      headers.delete("Accept-Encoding");
      const body = request.method === "POST" ? await request.text() : undefined;
      const response = await fetch(`${desk.url}${pathname}${search}`, {
        method: request.method,
        headers,
        body,
      });
      const text = await response.text();
      if (body !== undefined && !isOpen) {
        const { promise, resolve } = Promise.withResolvers<void>();
        gates.push({ body, open: resolve });
        for (const { count, resolve } of waiting) if (gates.length >= count) resolve();
        await promise;
      }
      return new Response(text, { status: response.status, headers: response.headers });
    },
  );

  /** Releases every response, and withholds no more. */
  function respond(): void {
    isOpen = true;
    for (const { open } of gates) open();
  }

  return {
    env: deskEnv({ ...desk, url: `http://127.0.0.1:${server.addr.port}` }),
    tickets: desk.tickets,
    /** Resolves when the desk has created `count` tickets. */
    created(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (gates.length >= count) resolve();
      waiting.add({ count, resolve });
      return within(`the desk has created ${count} tickets`, promise);
    },
    /** Releases the response about one run. */
    respondAbout: (run: string) =>
      gates.find(({ body }) => body.includes(`Run: ${run}\\n`))?.open(),
    respond,
    async [Symbol.asyncDispose]() {
      respond();
      await server.shutdown();
      await desk.close();
    },
  };
}
