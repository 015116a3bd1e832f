/** A proxy in front of a KV Connect server that forwards commits and then loses their responses. */
export function startLossyProxy(serverUrl: string) {
  let toLose = 0;
  let lost = 0;
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async ({ url, method, headers, body }) => {
      const { pathname } = new URL(url);
      const response = await fetch(serverUrl + pathname, { method, headers, body });
      const content = await response.arrayBuffer();
      if (toLose === 0 || !pathname.endsWith("/atomic_write")) {
        return new Response(content, { status: response.status, headers: response.headers });
      }
      toLose--;
      lost++;
      return new Response(null, { status: 502 });
    },
  );
  return {
    url: `http://127.0.0.1:${server.addr.port}`,
    get lost() {
      return lost;
    },
    /** Loses the responses to the next `count` commits. */
    lose: (count: number) => void (toLose = count),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}
