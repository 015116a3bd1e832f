import type { Answer, Service } from "../support/service_process.ts";
import type { SupportRequest } from "../../routes/v1/responses.ts";
import { pause } from "./fleet.ts";

/** One submission and its response. */
export interface Sent {
  json: { summary: string; handoff: { mode: "create" | "none" } };
  to: { run: string; key?: string };
  response: Answer<SupportRequest>;
}

const CLIENTS = 12;

/** Clients that each submit one request after another, each time through the next instance. */
export class Load implements AsyncDisposable {
  readonly sent: Sent[] = [];
  #services: Service[];
  #work: Promise<unknown>;
  #isStopped = false;
  #count = 0;

  constructor(services: Service[]) {
    this.#services = services;
    const clients = Array.from({ length: CLIENTS }, async () => {
      while (!this.#isStopped) await this.#submit(++this.#count);
    });
    this.#work = Promise.all(clients);
    this.#work.catch(() => {});
  }

  async stop(): Promise<Sent[]> {
    this.#isStopped = true;
    await this.#work;
    return this.sent;
  }

  /** Stops it after a test has failed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  /** Three of four create a ticket, two of three have a key; in five runs. */
  async #submit(number: number): Promise<void> {
    const json: Sent["json"] = {
      summary: `Submission ${number}`,
      handoff: { mode: number % 4 === 0 ? "none" : "create" },
    };
    const to = { run: `r-${number % 5}`, ...number % 3 !== 0 && { key: `key-${number}` } };
    const service = this.#services[number % this.#services.length]!;
    const response = await service.submit(json, to);
    this.sent.push({ json, to, response });
    if (response.status !== 201) await pause(50);
  }
}
