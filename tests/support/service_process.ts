import type { LogEvent } from "../../domain/ports/log.ts";
/** The service as its operator runs it, and what a test needs to hurt it. */
import { assert, assertEquals } from "@std/assert";
import settings from "../../deno.json" with { type: "json" };
import type { AuditEvent } from "../../domain/model/audit.ts";
import type { SupportRequestResponse } from "../../routes/v1/responses.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET } from "./service.ts";

/** Nothing that a test does with one process takes so long: it hangs, and is ended. */
const HANGS_AFTER_MS = 30_000;

const ROOT = new URL("../../", import.meta.url);

export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
  /** Milliseconds until the whole of it was there. */
  ms: number;
}

export interface Launch {
  /** A file, or the URL of a KV Connect server. */
  kvPath: string;
  env?: Record<string, string>;
  /** What bash runs first, in the process that becomes the service. */
  before?: string;
  /** A command that runs the rest of its arguments. */
  within?: string[];
  /** What starts the service; by default the command of the task `serve`. */
  command?: string[];
  /** After which it is ended, because it must hang. */
  hangsAfterMs?: number;
}

/** Starts the service with the permissions of the task `serve`; resolves when it listens. */
export async function startService(launch: Launch): Promise<Service> {
  const { kvPath, env = {}, before, within = [], hangsAfterMs = HANGS_AFTER_MS } = launch;
  const [, ...args] = settings.tasks.serve.command.replaceAll("$KV_PATH", kvPath).split(" ");
  const service = launch.command ?? [Deno.execPath(), ...args];
  const shell = before === undefined ? [] : ["bash", "-c", `${before}; exec "$0" "$@"`];
  const [command, ...rest] = [...within, ...shell, ...service];
  const { HOME = "", PATH = "", DENO_DIR = "" } = Deno.env.toObject();
  const kept = { HOME, PATH, ...DENO_DIR !== "" && { DENO_DIR } };
  const child = new Deno.Command(command!, {
    args: rest,
    cwd: ROOT,
    clearEnv: true,
    env: {
      ...kept,
      AUTH_SECRET,
      KV_PATH: kvPath,
      NO_COLOR: "1",
      PORT: "0",
      RATE_LIMIT_PER_MINUTE: "0",
      ...env,
    },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const hangs = setTimeout(() => child.kill("SIGKILL"), hangsAfterMs);
  child.status.then(() => clearTimeout(hangs));
  const output = new Output(child);
  const { address } = await output.line("listening");
  return new Service(String(address), child, output);
}

/** What the process says, drained as it comes. */
class Output {
  text = "";
  readonly ended: Promise<void>;
  #waiting = new Set<() => void>();

  constructor({ stdout, stderr }: Deno.ChildProcess) {
    this.ended = Promise.all([stdout, stderr].map((stream) => this.#drain(stream))).then(() => {});
    this.ended.then(() => this.#wake());
  }

  get lines(): Record<string, unknown>[] {
    const whole = this.text.slice(0, this.text.lastIndexOf("\n") + 1).split("\n");
    return whole.filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  /** The first log line of this event, once it is there. */
  async line(event: LogEvent): Promise<Record<string, unknown>> {
    let isOver = false;
    this.ended.then(() => isOver = true);
    for (;;) {
      const found = this.lines.find((line) => line.event === event);
      if (found !== undefined) return found;
      if (isOver) throw new Error(`The service never logged '${event}':\n${this.text}`);
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  async #drain(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<void> {
    for await (const chunk of stream.pipeThrough(new TextDecoderStream())) {
      this.text += chunk;
      this.#wake();
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export class Service implements AsyncDisposable {
  constructor(
    readonly url: string,
    readonly child: Deno.ChildProcess,
    readonly output: Output,
  ) {}

  async call<Body = Record<string, unknown>>(
    path: string,
    init: RequestInit = {},
  ): Promise<Answer<Body>> {
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${await mintToken(AUTH_SECRET)}`);
    headers.set("Content-Type", "application/json");
    const started = performance.now();
    const response = await fetch(this.url + path, { ...init, headers });
    const body = await response.json();
    return { status: response.status, headers: response.headers, body, ms: since(started) };
  }

  /** Submits in the tenant's own context, or in a run's. */
  submit(
    json: Record<string, unknown> = {},
    { run, key }: { run?: string; key?: string } = {},
  ): Promise<Answer<SupportRequestResponse>> {
    return this.call(requestsPath(run), {
      method: "POST",
      headers: key === undefined ? {} : { "Idempotency-Key": key },
      body: JSON.stringify({ summary: "Printer on fire", ...json }),
    });
  }

  latest(run?: string): Promise<Answer<{ supportRequest: SupportRequestResponse | null }>> {
    return this.call(`${requestsPath(run)}/latest`);
  }

  /** Every audit event of the tenant, newest first. */
  async auditEvents(): Promise<AuditEvent[]> {
    const events: AuditEvent[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const query: string = cursor && `&cursor=${cursor}`;
      const page: Answer<{ events: AuditEvent[]; nextCursor: string | null }> = await this.call(
        `/v1/tenants/acme/audit-events?limit=100${query}`,
      );
      assertEquals(page.status, 200);
      events.push(...page.body.events);
      cursor = page.body.nextCursor;
    }
    return events;
  }

  /** Resolves with the exit code once the process has ended and all that it said is read. */
  async ended(): Promise<number> {
    const { code } = await this.child.status;
    await this.output.ended;
    return code;
  }

  /** Ends it as an operator does. */
  stop(): Promise<number> {
    this.child.kill("SIGTERM");
    return this.ended();
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    try {
      this.child.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.ended();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.kill();
  }
}

export function requestsPath(run?: string): string {
  const context = run === undefined ? "/v1/tenants/acme" : `/v1/tenants/acme/runs/${run}`;
  return `${context}/support-requests`;
}

export function since(started: number): number {
  return performance.now() - started;
}

/** The first answer that is as wanted. For what nobody announces: asks until it is so. */
export async function until<T>(ask: () => Promise<T>, isWanted: (answer: T) => boolean) {
  const giveUp = AbortSignal.timeout(10_000);
  for (;;) {
    const answer = await ask();
    if (isWanted(answer)) return answer;
    if (giveUp.aborted) throw new Error(`It never came to that: ${JSON.stringify(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** Two seconds, and room for a machine that is busy with other tests. */
const SOON_MS = 4_000;

/** What a store that does not answer must lead to: an answer soon, and what to do. */
export function assertUnavailable({ status, headers, body, ms }: Answer<unknown>): void {
  const { type, detail } = body as { type: string; detail: string };
  assertEquals([status, type], [503, "/problems/store-unavailable"]);
  assertEquals(headers.get("Retry-After"), "5");
  assertEquals(
    /Send it again|Try again|before asking again|See the log/.test(detail),
    true,
    detail,
  );
  assert(ms < SOON_MS, `it took ${ms} ms`);
}
