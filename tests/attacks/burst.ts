/**
 * Many concurrent submissions, over raw connections that are opened before: `fetch` takes longer for
 * them than the service.
 */
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET, requestsPath } from "../support/constants.ts";
import { within } from "../support/wait_for.ts";

/** Connections that are opened concurrently: fewer than a listener's backlog. */
const CONCURRENT_CONNECTS = 100;
const TIMEOUT_MS = 60_000;

/** The response to one submission. */
export interface Outcome {
  status: number;
  retryAfter: number;
  body: { reference?: string; type?: string; detail?: string };
  /** Milliseconds since the first submission of the burst was sent. */
  ms: number;
}

/** Sends all submissions concurrently, each in a run of its own; every second one has a key. */
export async function submitAtOnce(
  url: string,
  count: number,
  handoff: { mode: string },
): Promise<Outcome[]> {
  const { hostname, port } = new URL(url);
  const token = await mintToken(AUTH_SECRET);
  const connections: Deno.TcpConn[] = [];
  try {
    while (connections.length < count) {
      const missing = Math.min(CONCURRENT_CONNECTS, count - connections.length);
      const open = () => Deno.connect({ hostname, port: Number(port) });
      connections.push(...await Promise.all(Array.from({ length: missing }, open)));
    }
    const started = performance.now();
    const responses = Promise.all(connections.map(async (connection, i) => {
      await connection.write(submission(i, token, handoff));
      const outcome = await readResponse(connection);
      return { ...outcome, ms: performance.now() - started };
    }));
    return await within("every submission has a response", responses, TIMEOUT_MS);
  } finally {
    for (const connection of connections) connection.close();
  }
}

function submission(i: number, token: string, handoff: { mode: string }): Uint8Array {
  const body = JSON.stringify({ summary: `Submission ${i}`, handoff });
  const head = [
    `POST ${requestsPath(`r-${i}`)} HTTP/1.1`,
    "Host: deskhand.example",
    `Authorization: Bearer ${token}`,
    "Content-Type: application/json",
    `Content-Length: ${body.length}`,
    ...i % 2 === 0 ? [`Idempotency-Key: k-${i}`] : [],
  ];
  // In one write: all of it fits into a socket's buffer.
  return new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${body}`);
}

async function readResponse(connection: Deno.TcpConn): Promise<Omit<Outcome, "ms">> {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(2_048);
  for (let text = "";;) {
    const count = await connection.read(buffer);
    if (count === null) throw new Error(`The connection was closed after: ${text}`);
    text += decoder.decode(buffer.subarray(0, count), { stream: true });
    const [head, body] = text.split("\r\n\r\n") as [string, string?];
    const length = Number(/^content-length: (\d+)$/im.exec(head)?.[1]);
    if (body === undefined || new TextEncoder().encode(body).length < length) continue;
    return {
      status: Number(head.split(" ")[1]),
      retryAfter: Number(/^retry-after: (\d+)$/im.exec(head)?.[1]),
      body: JSON.parse(body),
    };
  }
}
