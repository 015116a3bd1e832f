/** The service as its operator runs it, and what a test needs to disturb it. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { AuditEvent } from "../../domain/model/audit.ts";
import type { ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";
import { mintToken, type TokenClaims } from "../demo/token.ts";
import { AUTH_SECRET, requestsPath } from "./constants.ts";
import { command, taskCommand } from "./process.ts";
import { ProcessOutput } from "./process_output.ts";

/** A process that runs longer hangs, and is killed. No test needs one process for so long. */
const HANGS_AFTER_MS = 30_000;

export interface Answer<Body = Record<string, unknown>> {
  status: number;
  headers: Headers;
  body: Body;
  /** Milliseconds until the whole body was received. */
  ms: number;
}

export interface ServiceLaunch {
  /** A file, or the URL of a KV Connect server. */
  kvPath: string;
  env?: Record<string, string>;
  /** Of the token of each call. */
  token?: TokenClaims;
  /** Shell code that runs first, in the process that becomes the service. */
  before?: string;
  /** A program that runs the rest of its arguments. */
  within?: string[];
  /** What starts the service; by default the command of the task `serve`. */
  command?: string[];
  /** The process is killed after so long. */
  hangsAfterMs?: number;
}

/** Starts the service with the permissions of the task `serve`, without waiting until it listens. */
export function spawnService(launch: ServiceLaunch) {
  const { kvPath, env, hangsAfterMs = HANGS_AFTER_MS, ...rest } = launch;
  const child = command({
    command: taskCommand("serve", kvPath),
    ...rest,
    env: { AUTH_SECRET, KV_PATH: kvPath, PORT: "0", RATE_LIMIT_PER_MINUTE: "0", ...env },
  }).spawn();
  const timer = setTimeout(() => child.kill("SIGKILL"), hangsAfterMs);
  child.status.then(() => clearTimeout(timer));
  return { child, output: new ProcessOutput(child) };
}

/** Starts the service as {@linkcode spawnService} does; resolves when it listens. */
export async function startService(launch: ServiceLaunch): Promise<Service> {
  const { child, output } = spawnService(launch);
  const { address } = await output.line("listening");
  return new Service(String(address), child, output, launch.token);
}

/** Starts the service where it cannot start; resolves when it has exited. */
export async function failToStart(launch: ServiceLaunch): Promise<{ code: number; text: string }> {
  const { child, output } = spawnService(launch);
  const { code } = await child.status;
  await output.ended;
  return { code, text: output.text };
}

export class Service implements AsyncDisposable {
  constructor(
    readonly url: string,
    readonly child: Deno.ChildProcess,
    readonly output: ProcessOutput,
    readonly token: TokenClaims = {},
  ) {}

  async call<Body = Record<string, unknown>>(
    path: string,
    init: RequestInit = {},
  ): Promise<Answer<Body>> {
    const headers = new Headers(init.headers);
    headers.set("Authorization", `Bearer ${await mintToken(AUTH_SECRET, this.token)}`);
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
  ): Promise<Answer<SupportRequest>> {
    return this.call(requestsPath(run), {
      method: "POST",
      headers: key === undefined ? {} : { "Idempotency-Key": key },
      body: JSON.stringify({ summary: "Printer on fire", ...json }),
    });
  }

  latest(run?: string): Promise<Answer<ContextSummary>> {
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

  /** Resolves with the exit code once the process has ended and all of its output is read. */
  async ended(): Promise<number> {
    const { code } = await this.child.status;
    await this.output.ended;
    return code;
  }

  /** Ends it as an operator does; resolves with the exit code. */
  stop(signal: Deno.Signal = "SIGTERM"): Promise<number> {
    this.child.kill(signal);
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

export function since(started: number): number {
  return performance.now() - started;
}

/** Two seconds, plus slack for a machine that is busy with other tests. */
const SOON_MS = 4_000;

/** Asserts the response to a store that does not respond: soon, and with what to do. */
export function assertUnavailable({ status, headers, body, ms }: Answer<unknown>): void {
  const { type, detail } = body as { type: string; detail: string };
  assertEquals([status, type], [503, "/problems/store-unavailable"]);
  assertEquals(headers.get("Retry-After"), "5");
  assertMatch(detail, /again|See the log/);
  assert(ms < SOON_MS, `it took ${ms} ms`);
}
