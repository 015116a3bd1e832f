/** Load over raw HTTP/1.1: each connection sends its next request after the last response. */
import { cpuUsage } from "node:process";
import { type RawResponse, responseReader } from "./response_reader.ts";
import { at } from "./statistics.ts";

/** The request that is repeated. */
export interface LoadPlan {
  method: "GET" | "POST";
  /** `{run}` in it becomes the ID of a run. */
  path: string;
  headers: Record<string, string>;
  body?: unknown;
  /** Any other status ends the load. */
  status: number;
  /** Text in the body of every response. */
  contains?: string;
  /** The number of runs among which `{run}` rotates. */
  runs?: number;
  /** Whether each request has a new idempotency key, a random UUID. */
  isKeyed?: boolean;
  /** Every such request of a connection repeats the one before it. */
  repeatEvery?: number;
}

export interface LoadOptions {
  connections: number;
  seconds?: number;
  responses?: number;
}

export interface LoadResult {
  responses: number;
  perSecond: number;
  /** Latencies in milliseconds. */
  p50: number;
  p99: number;
  max: number;
  /** The CPU time of this process, as a share of one core. */
  cpu: number;
}

const RUN = "r-00000";
const KEY = "00000000-0000-0000-0000-000000000000";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/**
 * Sends requests to a server on this machine.
 *
 * @throws {Error} at the first response that is not as planned
 */
export async function load(
  port: number,
  plan: LoadPlan,
  { connections, seconds = Infinity, responses = Infinity }: LoadOptions,
): Promise<LoadResult> {
  const opened: Awaited<ReturnType<typeof open>>[] = [];
  try {
    while (opened.length < connections) opened.push(await open(port, plan));
    const latencies: number[] = [];
    const cpu = cpuUsage();
    const started = performance.now();
    const deadline = started + seconds * 1000;
    let sent = 0;
    await Promise.all(opened.map(async (connection) => {
      let now = performance.now();
      while (now < deadline && sent < responses) {
        await connection.send(sent++ % (plan.runs ?? 1));
        latencies.push(-now + (now = performance.now()));
      }
    }));
    const milliseconds = performance.now() - started;
    const { user, system } = cpuUsage(cpu);
    const sorted = new Float64Array(latencies).sort();
    return {
      responses: sorted.length,
      perSecond: sorted.length / milliseconds * 1000,
      p50: at(sorted, 0.5),
      p99: at(sorted, 0.99),
      max: at(sorted, 1),
      cpu: (user + system) / 1000 / milliseconds,
    };
  } finally {
    for (const connection of opened) connection.close();
  }
}

async function open(port: number, plan: LoadPlan) {
  const { status, contains, repeatEvery = Infinity } = plan;
  const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
  tcp.setNoDelay(true);
  const read = responseReader(tcp);
  const request = requestBytes(port, plan);
  // Only ASCII precedes the run and the key, so their index in characters is that in bytes.
  const text = decoder.decode(request);
  const place = (index: number, { length }: string) => request.subarray(index, index + length);
  const run = plan.runs === undefined ? null : place(text.indexOf(`/${RUN}/`) + 1, RUN);
  const key = plan.isKeyed ? place(text.indexOf(KEY), KEY) : null;
  let count = 0;

  async function send(number: number): Promise<void> {
    const isRepeat = ++count % repeatEvery === 0;
    if (!isRepeat) {
      // Within the request: encoding each request anew would take longer.
      if (run) encoder.encodeInto(`r-${String(number).padStart(5, "0")}`, run);
      if (key) encoder.encodeInto(crypto.randomUUID(), key);
    }
    for (let sent = 0; sent < request.length;) {
      sent += await tcp.write(sent === 0 ? request : request.subarray(sent));
    }
    const response = await read();
    if (response.status !== status) throw unexpected(response, `not ${status}`);
    if (contains !== undefined && !decoder.decode(response.body).includes(contains)) {
      throw unexpected(response, `without ${contains}`);
    }
    if (isRepeat && !/\r\nidempotent-replayed: true/i.test(response.head)) {
      throw unexpected(response, "not a replay");
    }
  }

  return { send, close: () => tcp.close() };
}

function requestBytes(port: number, plan: LoadPlan): Uint8Array<ArrayBuffer> {
  const body = plan.body === undefined ? "" : JSON.stringify(plan.body);
  const headers = {
    "Host": `127.0.0.1:${port}`,
    ...plan.headers,
    ...plan.isKeyed && { "Idempotency-Key": KEY },
    ...plan.body !== undefined && {
      "Content-Type": "application/json",
      "Content-Length": String(encoder.encode(body).length),
    },
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  const path = plan.path.replace("{run}", RUN);
  return encoder.encode(`${plan.method} ${path} HTTP/1.1\r\n${lines}\r\n${body}`);
}

function unexpected({ head, body }: RawResponse, why: string): Error {
  return new Error(`Cannot use a response that is ${why}:\n${head}\n\n${decoder.decode(body)}`);
}
