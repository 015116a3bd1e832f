/** The service as its operator runs it, in front of a real Request Tracker. */
import { assertEquals } from "@std/assert";
import type { ContextSummary, SupportRequest } from "../../routes/v1/responses.ts";
import { deskEnv } from "../support/constants.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { type Answer, type Service, startService } from "../support/service_process.ts";
import type { RequestTracker } from "./instance.ts";

/** The longest test runs one process for about half of this. */
const PROCESS_TIMEOUT_MS = 120_000;

const TOKEN = { sub: "u-1", name: "Ada Lovelace", email: "ada@verified.example" };

/** Starts the service for a running Request Tracker, with a KV file of its own. */
export function startDeskhand(
  desk: RequestTracker,
  env: Record<string, string> = {},
): Promise<Deskhand> {
  return Deskhand.start({ ...deskEnv(desk), ...env });
}

/** A service that can be restarted on its KV file, which is removed with it. */
export class Deskhand implements AsyncDisposable {
  #service!: Service;

  private constructor(
    readonly kv: AsyncDisposable & { path: string },
    readonly env: Record<string, string>,
  ) {}

  /** Starts a service; resolves when it listens. */
  static async start(env: Record<string, string>): Promise<Deskhand> {
    const deskhand = new Deskhand(await temporaryPath(), env);
    await deskhand.restart();
    return deskhand;
  }

  /** Starts the service again after {@linkcode stop} or {@linkcode kill}, on another port. */
  async restart(): Promise<void> {
    this.#service = await startService({
      kvPath: this.kv.path,
      env: this.env,
      token: TOKEN,
      hangsAfterMs: PROCESS_TIMEOUT_MS,
    });
  }

  /** Ends the service as an operator does, and asserts that it exits with code 0. */
  async stop(): Promise<void> {
    assertEquals(await this.#service.stop(), 0);
  }

  /** Ends the service as a crash does. */
  async kill(): Promise<void> {
    await this.#service.kill();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#service.kill();
    await this.kv[Symbol.asyncDispose]();
  }

  /** Submits a support request in the tenant `acme`, or in one of its runs. */
  submit(
    json: Record<string, unknown>,
    options?: { run?: string; key?: string },
  ): Promise<Answer<SupportRequest>> {
    return this.#service.submit(json, options);
  }

  /** Returns the context summary of the tenant `acme`, or of one of its runs. */
  async latest(run?: string): Promise<ContextSummary> {
    const { status, body } = await this.#service.latest(run);
    assertEquals(status, 200);
    return body as ContextSummary;
  }
}
