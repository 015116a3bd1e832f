/** The service as its operator runs it: a process of its own, with the permissions of `serve`. */
import { assertEquals } from "@std/assert";
import settings from "../../deno.json" with { type: "json" };
import type { ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";
import { mintToken } from "../demo/token.ts";
import { AUTH_SECRET } from "../support/constants.ts";
import type { RequestTracker } from "./instance.ts";

const ROOT = new URL("../../", import.meta.url);

export interface Answer<Body> {
  status: number;
  headers: Headers;
  body: Body;
}

export type LogLine = Record<string, unknown>;

/** Starts the service before a running Request Tracker, over a KV file of its own. */
export async function startDeskhand(
  desk: RequestTracker,
  env: Record<string, string> = {},
): Promise<Deskhand> {
  const directory = await Deno.makeTempDir({ prefix: "deskhand-" });
  const deskhand = new Deskhand(directory, {
    SUPPORT_DESK_URL: desk.url,
    SUPPORT_DESK_TOKEN: desk.token,
    SUPPORT_DESK_QUEUE: desk.queue,
    ...env,
  });
  await deskhand.start();
  return deskhand;
}

/** See {@linkcode startDeskhand}. It ends, and its KV file with it, with `await using`. */
export class Deskhand implements AsyncDisposable {
  /** Where it listens; another port after each start. */
  url = "";
  /** What it logged so far. */
  readonly lines: LogLine[] = [];
  readonly #directory: string;
  readonly #env: Record<string, string>;
  #process?: Deno.ChildProcess;
  #output?: Promise<unknown>;

  constructor(directory: string, env: Record<string, string>) {
    this.#directory = directory;
    this.#env = env;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    const { command, args, env } = this.#command();
    this.#process = new Deno.Command(command, {
      args,
      cwd: ROOT,
      env,
      clearEnv: true,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const listening = Promise.withResolvers<string>();
    const read = (line: string) => {
      // Whatever is not a log line is a complaint of the runtime.
      const logged: LogLine = line.startsWith("{") ? JSON.parse(line) : { message: line };
      this.lines.push(logged);
      if (logged.event === "listening") listening.resolve(String(logged.address));
    };
    const { stdout, stderr } = this.#process;
    this.#output = Promise.all([eachLine(stdout, read), eachLine(stderr, read)]).then(() =>
      listening.reject(new Error(`Deskhand ended: ${JSON.stringify(this.lines.slice(-10))}`))
    );
    this.url = await listening.promise;
  }

  /** Ends it as an operator does, and expects that it ends well. */
  async stop(): Promise<void> {
    assertEquals(await this.#end("SIGTERM"), { success: true, code: 0, signal: null });
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGKILL");
    await Deno.remove(this.#directory, { recursive: true });
  }

  /** Submits a support request in a context of the tenant `acme`, the tenant's own by default. */
  async submit(
    json: unknown,
    { run, key }: { run?: string; key?: string } = {},
  ): Promise<Answer<SupportRequest>> {
    const headers = new Headers({ "Content-Type": "application/json" });
    if (key !== undefined) headers.set("Idempotency-Key", key);
    const path = `${contextPath(run)}/support-requests`;
    return await this.#call(path, { method: "POST", headers, body: JSON.stringify(json) });
  }

  /** What a context's own people see. */
  async latest(run?: string): Promise<ContextSummary> {
    const answer = await this.#call<ContextSummary>(
      `${contextPath(run)}/support-requests/latest`,
      {},
    );
    assertEquals(answer.status, 200);
    return answer.body;
  }

  async #call<Body>(path: string, init: RequestInit): Promise<Answer<Body>> {
    const headers = new Headers(init.headers);
    const token = await mintToken(AUTH_SECRET, {
      sub: "u-1",
      name: "Ada Lovelace",
      email: "ada@verified.example",
    });
    headers.set("Authorization", `Bearer ${token}`);
    const response = await fetch(this.url + path, { ...init, headers });
    return { status: response.status, headers: response.headers, body: await response.json() };
  }

  /** The task's own command, in nobody's environment. */
  #command() {
    const kvPath = `${this.#directory}/deskhand.kv`;
    const [, ...args] = settings.tasks.serve.command.replaceAll("$KV_PATH", kvPath).split(" ");
    const kept = ["DENO_DIR", "HOME", "PATH"]
      .map((name) => [name, Deno.env.get(name) ?? ""])
      .filter(([, value]) => value !== "");
    const env = {
      ...Object.fromEntries(kept),
      AUTH_SECRET,
      KV_PATH: kvPath,
      NO_COLOR: "1",
      PORT: "0",
      RATE_LIMIT_PER_MINUTE: "0",
      ...this.#env,
    };
    return { command: Deno.execPath(), args, env };
  }

  async #end(signal: Deno.Signal): Promise<Deno.CommandStatus | undefined> {
    const process = this.#process;
    if (process === undefined) return;
    this.#process = undefined;
    process.kill(signal);
    await this.#output;
    return await process.status;
  }
}

function contextPath(run: string | undefined): string {
  return run === undefined ? "/v1/tenants/acme" : `/v1/tenants/acme/runs/${run}`;
}

async function eachLine(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  read: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    for (const line of lines) read(line);
  }
}
