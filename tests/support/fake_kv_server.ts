/**
 * Enough of a KV Connect server to fail like one: it can be opened, finds nothing and accepts every
 * write, until a test has it behave otherwise.
 */
export type KvServerMode = "works" | "hangs" | "responds 500" | "responds 401" | "is slow";

/** Just below the deadline of a call, two seconds. */
const SLOW_MS = 1_900;

/** The text of the server's errors, which must not be repeated anywhere. */
export const SERVER_SECRET = "words-of-the-kv-server";

/** `SnapshotReadOutput` with one empty range, strongly consistent, successful. */
const NOTHING_FOUND = new Uint8Array([10, 0, 32, 1, 64, 1]);
/** `AtomicWriteOutput`: successful, with a versionstamp. */
const WRITTEN = new Uint8Array([8, 1, 18, 10, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0]);

export function startKvServer(first: KvServerMode = "works", port = 0) {
  let mode = first;
  let changed = Promise.withResolvers<void>();
  let calls = 0;
  const called = Promise.withResolvers<void>();
  const closing = new AbortController();

  const server = Deno.serve(
    { hostname: "127.0.0.1", port, onListen: () => {} },
    async (request) => {
      const { pathname, origin } = new URL(request.url);
      await request.arrayBuffer();
      calls++;
      if (pathname !== "/") called.resolve();
      while (mode === "hangs") await changed.promise;
      if (mode === "responds 500") return new Response(SERVER_SECRET, { status: 500 });
      if (mode === "responds 401") return new Response(SERVER_SECRET, { status: 401 });
      if (pathname === "/") return Response.json(metadata(origin));
      if (mode === "is slow") await pause(SLOW_MS, closing.signal);
      const headers = { "Content-Type": "application/x-protobuf" };
      return new Response(pathname.endsWith("_read") ? NOTHING_FOUND : WRITTEN, { headers });
    },
  );

  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    env: { DENO_KV_ACCESS_TOKEN: "token" },
    get calls() {
      return calls;
    },
    /** Resolves at the first call after the opening. */
    called: called.promise,
    become(next: KvServerMode) {
      mode = next;
      changed.resolve();
      changed = Promise.withResolvers();
    },
    /** Closes every connection, as a server does that is shut down. */
    async [Symbol.asyncDispose]() {
      mode = "responds 500";
      changed.resolve();
      closing.abort();
      await server.shutdown();
    },
  };
}

function metadata(origin: string) {
  return {
    version: 3,
    databaseId: "11111111-1111-4111-8111-111111111111",
    endpoints: [{ url: `${origin}/v2`, consistency: "strong" }],
    token: "token",
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
  };
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, milliseconds);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve();
  });
  return promise;
}
