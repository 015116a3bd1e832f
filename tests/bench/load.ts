/** Load over raw HTTP/1.1: each connection sends its next request after the last response. */
import { cpuUsage } from "node:process";
import { type RawResponse, ResponseReader } from "./response_reader.ts";
import { at } from "./statistics.ts";

/** The request that is repeated. It is passed to a process as JSON. */
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
  /** Whether each request has a new idempotency key. */
  isKeyed?: boolean;
  /** Whether the keys are ordered by time, like UUIDv7 and ULID. */
  isOrdered?: boolean;
  /** Every such request of a connection repeats the one before it. */
  repeatEvery?: number;
}

/** The end of a load: after a time, or after so many responses. */
export type LoadEnd = { seconds: number } | { responses: number };

export interface LoadResult {
  responses: number;
  seconds: number;
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

/** Open connections to a server on this machine. */
export class Load {
  #connections: Connection[];
  #runs: number;
  #sent = 0;

  private constructor(connections: Connection[], plan: LoadPlan) {
    this.#connections = connections;
    this.#runs = plan.runs ?? 1;
  }

  static async open(port: number, connections: number, plan: LoadPlan): Promise<Load> {
    const request = requestBytes(port, plan);
    const opened: Connection[] = [];
    while (opened.length < connections) {
      opened.push(await Connection.open(port, plan, request.slice()));
    }
    return new Load(opened, plan);
  }

  /** @throws {Error} at the first response that is not as planned. */
  async run(end: LoadEnd): Promise<LoadResult> {
    const latencies: number[] = [];
    const cpu = cpuUsage();
    const started = performance.now();
    const deadline = "seconds" in end ? started + end.seconds * 1000 : Infinity;
    let remaining = "responses" in end ? end.responses : Infinity;
    const send = async (connection: Connection) => {
      for (
        let sentAt = performance.now();
        sentAt < deadline && remaining-- > 0;
        sentAt = performance.now()
      ) {
        await connection.send(this.#sent++ % this.#runs);
        latencies.push(performance.now() - sentAt);
      }
    };
    await Promise.all(this.#connections.map(send));
    const milliseconds = performance.now() - started;
    const { user, system } = cpuUsage(cpu);
    const sorted = new Float64Array(latencies).sort();
    return {
      responses: sorted.length,
      seconds: milliseconds / 1000,
      perSecond: sorted.length / milliseconds * 1000,
      p50: at(sorted, 0.5),
      p99: at(sorted, 0.99),
      max: at(sorted, 1),
      cpu: (user + system) / 1000 / milliseconds,
    };
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }
}

let uuids = 0;

/** A UUID of version 7 (RFC 9562), with a counter instead of random bits. */
function orderedUuid(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const count = (++uuids).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${count}`;
}

class Connection {
  #tcp: Deno.TcpConn;
  #plan: LoadPlan;
  #reader: ResponseReader;
  #request: Uint8Array<ArrayBuffer>;
  /** The run and the key within the request: encoding each request anew would take longer. */
  #run: Uint8Array | null;
  #key: Uint8Array | null;
  #sent = 0;

  private constructor(tcp: Deno.TcpConn, plan: LoadPlan, request: Uint8Array<ArrayBuffer>) {
    this.#tcp = tcp;
    this.#plan = plan;
    this.#reader = new ResponseReader(tcp);
    this.#request = request;
    const text = decoder.decode(request);
    this.#run = plan.runs === undefined ? null : place(request, text.indexOf(`/${RUN}/`) + 1, RUN);
    this.#key = plan.isKeyed ? place(request, text.indexOf(KEY), KEY) : null;
  }

  static async open(port: number, plan: LoadPlan, request: Uint8Array<ArrayBuffer>) {
    const tcp = await Deno.connect({ hostname: "127.0.0.1", port });
    tcp.setNoDelay(true);
    return new Connection(tcp, plan, request);
  }

  async send(run: number): Promise<void> {
    const { status, contains, repeatEvery } = this.#plan;
    const isRepeat = repeatEvery !== undefined && ++this.#sent % repeatEvery === 0;
    if (!isRepeat) {
      if (this.#run) encoder.encodeInto(`r-${String(run).padStart(5, "0")}`, this.#run);
      if (this.#key) {
        encoder.encodeInto(this.#plan.isOrdered ? orderedUuid() : crypto.randomUUID(), this.#key);
      }
    }
    for (let sent = 0; sent < this.#request.length;) {
      sent += await this.#tcp.write(sent === 0 ? this.#request : this.#request.subarray(sent));
    }
    const response = await this.#reader.read();
    if (response.status !== status) throw unexpected(response, `not ${status}`);
    if (contains !== undefined && !decoder.decode(response.body).includes(contains)) {
      throw unexpected(response, `without ${contains}`);
    }
    if (isRepeat && !/\r\nidempotent-replayed: true/i.test(response.head)) {
      throw unexpected(response, "not a replay");
    }
  }

  close(): void {
    this.#tcp.close();
  }
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

/** Returns a view on `text`. Only ASCII precedes it, so its index in characters is that in bytes. */
function place(request: Uint8Array, index: number, text: string): Uint8Array {
  return request.subarray(index, index + text.length);
}

function unexpected({ head, body }: RawResponse, why: string): Error {
  return new Error(`Cannot use a response that is ${why}:\n${head}\n\n${decoder.decode(body)}`);
}
