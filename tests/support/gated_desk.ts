import { startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnv } from "./constants.ts";

/**
 * A fake desk whose answers to creations wait: the tickets are there, and nobody is told until
 * the test says so.
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
      const answer = await fetch(`${desk.url}${pathname}${search}`, {
        method: request.method,
        headers,
        body,
      });
      const text = await answer.text();
      if (body !== undefined && !isOpen) {
        const { promise, resolve } = Promise.withResolvers<void>();
        gates.push({ body, open: resolve });
        for (const { count, resolve } of waiting) if (gates.length >= count) resolve();
        await promise;
      }
      return new Response(text, { status: answer.status, headers: answer.headers });
    },
  );

  /** Lets every answer go, and from now on at once. */
  function answer(): void {
    isOpen = true;
    for (const { open } of gates) open();
  }

  return {
    env: deskEnv({ ...desk, url: `http://127.0.0.1:${server.addr.port}` }),
    tickets: desk.tickets,
    /** Resolves when the desk has made so many tickets. */
    hasMade(count: number): Promise<void> {
      const { promise, resolve } = Promise.withResolvers<void>();
      if (gates.length >= count) resolve();
      waiting.add({ count, resolve });
      return promise;
    },
    /** Lets the answer about one run go. */
    answerAbout: (run: string) => gates.find(({ body }) => body.includes(`Run: ${run}\\n`))?.open(),
    answer,
    async [Symbol.asyncDispose]() {
      answer();
      await server.shutdown();
      await desk.close();
    },
  };
}
