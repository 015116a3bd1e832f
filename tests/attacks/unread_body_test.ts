/** A body without end is not read after the response. */
import { assert, assertEquals, assertLess } from "@std/assert";
import { MAX_BODY_BYTES } from "../../routes/http/json_body.ts";
import { AUTH_SECRET, requestsPath } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { type Service, since, startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
import { chunk, Peer } from "../support/raw_client.ts";
import { mintToken } from "../demo/token.ts";

/** The kernel's buffers of both sides take about 4 MB on loopback. */
const MAX_TAKEN_BYTES = 12_000_000;
const FLOOD_BYTES = Number(Deno.env.get("ATTACK_FLOOD_BYTES") ?? 100_000_000);

const bearer = async (claims = {}) =>
  `Authorization: Bearer ${await mintToken(AUTH_SECRET, claims)}`;

interface Rejection {
  method?: string;
  path?: string;
  headers?: string[];
  status: number;
}

const JSON_TYPE = "Content-Type: application/json";

/** A request for each rejection, whose body has no end. */
async function rejections(): Promise<Record<string, Rejection>> {
  const token = await bearer();
  return {
    "401": { status: 401 },
    "403": { status: 403, headers: [await bearer({ scope: "audit:read" })] },
    "404, another tenant": { status: 404, headers: [await bearer({ tenants: ["other"] })] },
    "404, no route": { status: 404, path: "/nowhere" },
    "405": { status: 405, path: "/livez", method: "PUT" },
    "405, a static file": { status: 405, path: "/panel.js" },
    "413 of a body in chunks": { status: 413, headers: [token, JSON_TYPE] },
    "415": { status: 415, headers: [token] },
    "400, the key": { status: 400, headers: [token, "Idempotency-Key: two words"] },
    "400, a GET": { status: 400, path: "/livez", method: "GET" },
    "400, a GET with a token": { status: 400, path: `${requestsPath()}/latest`, method: "GET" },
  };
}

async function begin(service: Service, rejection: Rejection, framing: string): Promise<Peer> {
  const { method = "POST", path = requestsPath(), headers = [] } = rejection;
  const peer = await Peer.connect(service.url);
  const head = [`${method} ${path} HTTP/1.1`, "Host: deskhand.example", ...headers, framing];
  await peer.write(`${head.join("\r\n")}\r\n\r\n`);
  return peer;
}

for (
  const [name, framing, piece] of [
    ["in chunks", "Transfer-Encoding: chunked", chunk(65_536)],
    ["of huge length", "Content-Length: 1000000000000", new Uint8Array(65_536)],
  ] as const
) {
  Deno.test(`a body ${name} is not read after its rejection, and the connection ends`, async () => {
    await using file = await temporaryPath();
    await using service = await startService({ kvPath: file.path });
    await Promise.all(
      Object.entries(await rejections()).map(async ([what, rejection]) => {
        using peer = await begin(service, rejection, framing);
        const flood = peer.flood(piece, FLOOD_BYTES);
        const { status, headers } = await peer.response();
        assertEquals([status, headers.connection], [rejection.status, "close"], what);
        await Promise.all([flood, peer.closed()]);
        assertLess(peer.written, MAX_TAKEN_BYTES, what);
      }),
    );
    assertEquals(await service.stop(), 0);
    assertEquals(service.output.lines.filter(({ level }) => level !== "INFO"), []);
  });
}

Deno.test("a HEAD request with a body without end is not read", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const head = { path: "/livez", method: "HEAD", status: 0 };
  using peer = await begin(service, head, "Transfer-Encoding: chunked");
  const flood = peer.flood(chunk(65_536), FLOOD_BYTES);
  // The service continues to work, and does not wait for the body at its end.
  for (let i = 0; i < 50; i++) assertEquals((await service.call("/livez")).status, 200);
  assertLess(peer.written, MAX_TAKEN_BYTES);
  assertEquals(await service.stop(), 0);
  await flood;
});

Deno.test({
  name: "a HEAD request with a body holds no file descriptor once its client has gone",
  ignore: Deno.build.os !== "linux",
  fn: async () => {
    await using file = await temporaryPath();
    await using service = await startService({ kvPath: file.path });
    const descriptors = () => [...Deno.readDirSync(`/proc/${service.child.pid}/fd`)].length;
    await service.call("/livez");
    const before = descriptors();
    for (const header of ["Transfer-Encoding: chunked", `Content-Length: ${FLOOD_BYTES}`]) {
      for (let i = 0; i < 50; i++) {
        using peer = await begin(service, { path: "/livez", method: "HEAD", status: 0 }, header);
        await peer.write("3\r\nabc\r\n");
      }
    }
    // The service opens fewer descriptors for its store meanwhile.
    await waitFor("the connections are closed", descriptors, (count) => count < before + 50);
  },
});

Deno.test("the connection of a small rejected body serves the next request", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const small = " ".repeat(1_000);
  for (const body of [small, " ".repeat(MAX_BODY_BYTES)]) {
    for (const [what, rejection] of Object.entries(await rejections())) {
      if (/GET|413/.test(what)) continue;
      using peer = await begin(service, rejection, `Content-Length: ${body.length}`);
      await peer.write(body);
      assertEquals((await peer.response()).status, rejection.status, what);
      await peer.write("GET /livez HTTP/1.1\r\nHost: deskhand.example\r\n\r\n");
      assertEquals((await peer.response()).status, 200, what);
    }
  }
  // The response does not wait for a body that never arrives, and then closes the connection.
  using peer = await begin(service, { status: 401 }, `Content-Length: ${small.length}`);
  const { status, headers } = await peer.response();
  assertEquals([status, headers.connection], [401, "close"]);
});

Deno.test("a body of exactly the largest size is accepted with a length and in chunks", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const accepted = { status: 201, headers: [await bearer(), JSON_TYPE] };
  const submission = JSON.stringify({ summary: "Help" });
  for (
    const [length, status] of [[MAX_BODY_BYTES, 201], [MAX_BODY_BYTES + 1, 413]] as const
  ) {
    const body = submission.padEnd(length);
    using sized = await begin(service, accepted, `Content-Length: ${length}`);
    await sized.write(body);
    assertEquals((await sized.response()).status, status);
    using chunked = await begin(service, accepted, "Transfer-Encoding: chunked");
    await chunked.write(`${length.toString(16)}\r\n${body}\r\n0\r\n\r\n`);
    assertEquals((await chunked.response()).status, status);
  }
});

Deno.test("SIGTERM does not wait for clients that still send a rejected body", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const floods: Promise<void>[] = [];
  const peers: Peer[] = [];
  for (const framing of ["Transfer-Encoding: chunked", "Content-Length: 1000000000000"]) {
    for (const rejection of [{ status: 401 }, { status: 405, path: "/livez" }]) {
      const peer = await begin(service, rejection, framing);
      peers.push(peer);
      floods.push(peer.flood(chunk(65_536), FLOOD_BYTES));
      assertEquals((await peer.response()).status, rejection.status);
    }
  }
  const started = performance.now();
  assertEquals(await service.stop(), 0);
  assert(since(started) < 5_000, `${since(started)} ms`);
  await Promise.all(floods);
  for (const peer of peers) peer.close();
});
