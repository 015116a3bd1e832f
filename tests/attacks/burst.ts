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
  /** How long the response took. */
  tookMs: number;
}

export interface BurstOptions {
  /** The mode of each handoff. */
  mode: string;
  /**
   * By default, one for each submission. With fewer, each connection sends the next submission as soon
   * as it has a response.
   */
  connections?: number;
}

/** Sends submissions concurrently, each in a run of its own; every second one has a key. */
export async function submitAtOnce(
  url: string,
  count: number,
  { mode, connections = count }: BurstOptions,
): Promise<Outcome[]> {
  const { hostname, port } = new URL(url);
  const token = await mintToken(AUTH_SECRET);
  const opened: Deno.TcpConn[] = [];
  try {
    while (opened.length < connections) {
      const missing = Math.min(CONCURRENT_CONNECTS, connections - opened.length);
      const open = () => Deno.connect({ hostname, port: Number(port) });
      opened.push(...await Promise.all(Array.from({ length: missing }, open)));
    }
    const started = performance.now();
    const outcomes: Outcome[] = [];
    let sent = 0;
    const responses = Promise.all(opened.map(async (connection) => {
      while (sent < count) {
        const sentAt = performance.now();
        await connection.write(submission(sent++, token, mode));
        const response = await readResponse(connection);
        const now = performance.now();
        outcomes.push({ ...response, ms: now - started, tookMs: now - sentAt });
      }
    }));
    await within("every submission has a response", responses, TIMEOUT_MS);
    return outcomes;
  } finally {
    for (const connection of opened) connection.close();
  }
}

function submission(i: number, token: string, mode: string): Uint8Array {
  const body = JSON.stringify({ summary: `Submission ${i}`, handoff: { mode } });
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

async function readResponse(connection: Deno.TcpConn): Promise<Omit<Outcome, "ms" | "tookMs">> {
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
