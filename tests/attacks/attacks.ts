/** Attacks on the memory and the responsiveness of a service. Each is bounded in count and time. */
import { assertEquals, assertMatch } from "@std/assert";
import { connect } from "node:http2";
import { MAX_BODY_BYTES } from "../../routes/http/json_body.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, requestsPath } from "../support/constants.ts";
import type { Service } from "../support/service_process.ts";
import { within } from "../support/wait_for.ts";
import { chunk, Peer } from "../support/raw_client.ts";

export interface Attack {
  name: string;
  /** By how much the memory of the service may grow meanwhile, in MB. */
  maxGrownMb: number;
  /** `scale` is 1 in the suite, and more in the task that attacks for longer. */
  run(service: Service, scale: number): Promise<void>;
}

const LIBRARY = "/docs/swagger-ui-bundle.js";

export const ATTACKS: Attack[] = [
  { name: "bodies in chunks of one byte", maxGrownMb: 30, run: tinyChunks },
  { name: "bodies in writes of one byte", maxGrownMb: 30, run: tinyWrites },
  { name: "unread files over HTTP/2", maxGrownMb: 100, run: unreadOverHttp2 },
  { name: "unread files over HTTP/1.1", maxGrownMb: 100, run: unreadOverHttp1 },
  { name: "bodies without end after their rejection", maxGrownMb: 30, run: endlessBodies },
  { name: "bodies full of long names", maxGrownMb: 60, run: longNames },
  { name: "heads of 60 KB", maxGrownMb: 60, run: longHeads },
];

const times = <T>(count: number, run: (index: number) => Promise<T>) =>
  Promise.all(Array.from({ length: count }, (_, index) => run(index)));

async function begin(service: Service, head: string[]): Promise<Peer> {
  const peer = await Peer.connect(service.url);
  await peer.write([...head, "Host: deskhand.example", "", ""].join("\r\n"));
  return peer;
}

async function submission(): Promise<string[]> {
  return [
    `POST ${requestsPath()} HTTP/1.1`,
    "Content-Type: application/json",
    `Authorization: Bearer ${await mintToken(AUTH_SECRET)}`,
  ];
}

/** 20 KB in chunks of one byte, five concurrently: a stored chunk would hold a buffer of 64 KiB. */
async function tinyChunks(service: Service, scale: number): Promise<void> {
  const head = [...await submission(), "Transfer-Encoding: chunked"];
  const body = new TextEncoder().encode("1\r\nx\r\n".repeat(20_000) + "0\r\n\r\n");
  for (let round = 0; round < scale; round++) {
    await times(5 * scale, async () => {
      using peer = await begin(service, head);
      const sent = peer.flood(body, body.length);
      assertEquals((await peer.response()).status, 400);
      await sent;
    });
  }
}

/** The same with a Content-Length: each packet has one byte. */
async function tinyWrites(service: Service, scale: number): Promise<void> {
  const bytes = Math.min(3_000 * scale, 20_000);
  const head = [...await submission(), `Content-Length: ${bytes}`];
  const byte = new TextEncoder().encode(" ");
  await times(5, async () => {
    using peer = await begin(service, head);
    peer.socket.setNoDelay(true);
    await peer.flood(byte, bytes);
    assertEquals((await peer.response()).status, 400);
  });
}

/** 5 connections of 200 streams that all request the largest file and read nothing. */
async function unreadOverHttp2(service: Service, scale: number): Promise<void> {
  for (let round = 0; round < scale; round++) {
    await times(5, async () => {
      const session = connect(service.url, { settings: { initialWindowSize: 0 } });
      const failed = new Promise<never>((_, reject) => session.on("error", reject));
      failed.catch(() => {});
      const heads = times(200, () => {
        const stream = session.request({ ":path": LIBRARY });
        stream.on("error", () => {});
        return new Promise((resolve) => stream.on("response", resolve));
      });
      await within("the streams have responses", Promise.race([heads, failed]), 20_000);
      session.destroy();
    });
  }
}

/** 500 connections that request the largest file and read nothing. */
async function unreadOverHttp1(service: Service, scale: number): Promise<void> {
  const { hostname, port } = new URL(service.url);
  const get = new TextEncoder().encode(`GET ${LIBRARY} HTTP/1.1\r\nHost: x\r\n\r\n`);
  for (let round = 0; round < scale; round++) {
    const sockets: Deno.TcpConn[] = [];
    for (let i = 0; i < 500; i++) {
      const socket = await Deno.connect({ hostname, port: Number(port) });
      sockets.push(socket);
      await socket.write(get);
    }
    for (let i = 0; i < 20; i++) assertEquals((await service.call("/livez")).status, 200);
    for (const socket of sockets) socket.close();
  }
}

/** Without a token, each as fast as possible. */
async function endlessBodies(service: Service, scale: number): Promise<void> {
  await times(20 * scale, async (index) => {
    using peer = await begin(service, [
      `${["POST", "PUT", "GET"][index % 3]} ${["/livez", requestsPath()][index % 2]} HTTP/1.1`,
      "Transfer-Encoding: chunked",
    ]);
    const flood = peer.flood(chunk(65_536), 50_000_000);
    assertMatch(String((await peer.response()).status), /^(400|401|405)$/);
    await flood;
  });
}

async function longNames(service: Service, scale: number): Promise<void> {
  const names = Array.from({ length: 150 }, (_, i) => `${i}`.padEnd(80, "😀"));
  const body = JSON.stringify(Object.fromEntries(names.map((name) => [name, 0])));
  assertEquals(new TextEncoder().encode(body).length < MAX_BODY_BYTES, true);
  for (let round = 0; round < 10 * scale; round++) {
    await times(10, async () => {
      const { status } = await service.call(requestsPath(), { method: "POST", body });
      assertEquals(status, 422);
    });
  }
}

async function longHeads(service: Service, scale: number): Promise<void> {
  for (let round = 0; round < scale; round++) {
    await times(100, async () => {
      using peer = await begin(service, ["GET /nowhere HTTP/1.1", `X: ${"x".repeat(60_000)}`]);
      assertEquals((await peer.response()).status, 404);
    });
  }
}
