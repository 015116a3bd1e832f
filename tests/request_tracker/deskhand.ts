/** The service as its operator runs it, in front of a running Request Tracker. */
import { assertEquals } from "@std/assert";
import type { ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";
import { deskEnv } from "../support/constants.ts";
import { type Answer, type Service, startService } from "../support/service_process.ts";
import type { RequestTracker } from "./instance.ts";

/** Request Tracker takes its time, above all where a test has it hang. */
const HANGS_AFTER_MS = 300_000;

const ADA = { sub: "u-1", name: "Ada Lovelace", email: "ada@verified.example" };

/** Starts the service over a KV file of its own. */
export async function startDeskhand(
  desk: RequestTracker,
  env: Record<string, string> = {},
): Promise<Deskhand> {
  const directory = await Deno.makeTempDir({ prefix: "deskhand-" });
  const deskhand = new Deskhand(directory, { ...deskEnv(desk), ...env });
  await deskhand.start();
  return deskhand;
}

/** A service that can be restarted over the same KV file, which is removed at the end. */
export class Deskhand implements AsyncDisposable {
  readonly #directory: string;
  readonly #env: Record<string, string>;
  #service?: Service;

  constructor(directory: string, env: Record<string, string>) {
    this.#directory = directory;
    this.#env = env;
  }

  /** Resolves when it listens. */
  async start(): Promise<void> {
    this.#service = await startService({
      kvPath: `${this.#directory}/deskhand.kv`,
      env: this.#env,
      token: ADA,
      hangsAfterMs: HANGS_AFTER_MS,
    });
  }

  /** Ends it as an operator does. */
  async stop(): Promise<void> {
    assertEquals(await this.#service!.stop(), 0);
  }

  /** Ends it as a crash does. */
  async kill(): Promise<void> {
    await this.#service!.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service?.kill();
    await Deno.remove(this.#directory, { recursive: true });
  }

  /** Submits in the tenant's own context, or in a run's. */
  submit(
    json: Record<string, unknown>,
    to: { run?: string; key?: string } = {},
  ): Promise<Answer<SupportRequest>> {
    return this.#service!.submit(json, to);
  }

  /** The summary of a context. */
  async latest(run?: string): Promise<ContextSummary> {
    const { status, body } = await this.#service!.latest(run);
    assertEquals(status, 200);
    return body;
  }
}
