/** Load over raw HTTP/1.1: connections that each send their next request after the last answer. */
import { cpuUsage } from "node:process";
import { type Answer, AnswerReader } from "./answer_reader.ts";
import { at } from "./statistics.ts";

/** What is asked, again and again. It stands in JSON on its way to a process. */
export interface LoadPlan {
  method: "GET" | "POST";
  /** `{run}` in it becomes the id of a run. */
  path: string;
  headers: Record<string, string>;
  body?: unknown;
  /** The only status that does not end the load. */
  status: number;
  /** What stands in the body of every answer. */
  says?: string;
  /** How many runs `{run}` goes through in turn. */
  runs?: number;
  /** Whether each request has an idempotency key of its own. */
  isKeyed?: boolean;
  /** Whether the keys are in the order of time, as a UUID of version 7 or a ULID is. */
  isOrdered?: boolean;
  /** Each such request of a connection repeats the one before it. */
  repeatEvery?: number;
}

/** When a load is over: after a time, or after so many answers. */
export type LoadEnd = { seconds: number } | { answers: number };

export interface LoadResult {
  answers: number;
  seconds: number;
  perSecond: number;
  /** Latencies in milliseconds. */
  p50: number;
  p99: number;
  max: number;
  /** The processor time that this process took, as a share of one core. */
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
  #asked = 0;

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

  /** @throws {Error} at the first answer that is not as planned. */
  async run(end: LoadEnd): Promise<LoadResult> {
    const latencies: number[] = [];
    const cpu = cpuUsage();
    const started = performance.now();
    const deadline = "seconds" in end ? started + end.seconds * 1000 : Infinity;
    let left = "answers" in end ? end.answers : Infinity;
    const ask = async (connection: Connection) => {
      for (;;) {
        const asked = performance.now();
        if (asked >= deadline || left-- <= 0) return;
        await connection.ask(this.#asked++ % this.#runs);
        latencies.push(performance.now() - asked);
      }
    };
    await Promise.all(this.#connections.map(ask));
    const milliseconds = performance.now() - started;
    const { user, system } = cpuUsage(cpu);
    const sorted = new Float64Array(latencies).sort();
    return {
      answers: sorted.length,
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

/** As of version 7 (RFC 9562), with a counter in place of what is random. */
function orderedUuid(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  const count = (++uuids).toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-${count}`;
}

class Connection {
  #tcp: Deno.TcpConn;
  #plan: LoadPlan;
  #reader: AnswerReader;
  #request: Uint8Array<ArrayBuffer>;
  /** Where in the request the run and the key stand: encoding each request anew would take longer. */
  #run: Uint8Array | null;
  #key: Uint8Array | null;
  #asked = 0;

  private constructor(tcp: Deno.TcpConn, plan: LoadPlan, request: Uint8Array<ArrayBuffer>) {
    this.#tcp = tcp;
    this.#plan = plan;
    this.#reader = new AnswerReader(tcp);
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

  async ask(run: number): Promise<void> {
    const { status, says, repeatEvery } = this.#plan;
    const isRepeat = repeatEvery !== undefined && ++this.#asked % repeatEvery === 0;
    if (!isRepeat) {
      if (this.#run) encoder.encodeInto(`r-${String(run).padStart(5, "0")}`, this.#run);
      if (this.#key) {
        encoder.encodeInto(this.#plan.isOrdered ? orderedUuid() : crypto.randomUUID(), this.#key);
      }
    }
    for (let sent = 0; sent < this.#request.length;) {
      sent += await this.#tcp.write(sent === 0 ? this.#request : this.#request.subarray(sent));
    }
    const answer = await this.#reader.read();
    if (answer.status !== status) throw unexpected(answer, `not ${status}`);
    if (says !== undefined && !decoder.decode(answer.body).includes(says)) {
      throw unexpected(answer, `without ${says}`);
    }
    if (isRepeat && !/\r\nidempotent-replayed: true/i.test(answer.head)) {
      throw unexpected(answer, "not a replay");
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

/** Only ASCII stands before it, so that the index of a character is the index of its byte. */
function place(request: Uint8Array, index: number, text: string): Uint8Array {
  return request.subarray(index, index + text.length);
}

function unexpected({ head, body }: Answer, why: string): Error {
  return new Error(`Cannot use an answer that is ${why}:\n${head}\n\n${decoder.decode(body)}`);
}
