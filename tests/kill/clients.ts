import type { SupportRequest } from "../../domain/model/support_request.ts";

/** One submission as a client sends it, and sends it again. */
export interface Submitted {
  path: string;
  key: string | null;
  body: { summary: string; handoff: { mode: "create" | "none" } };
}

/** What a client was told of it with 201. */
export interface Acknowledged {
  submitted: Submitted;
  request: SupportRequest;
}

export type Answer =
  | { outcome: "acknowledged"; request: SupportRequest }
  | { outcome: "refused"; status: number }
  /** The connection was lost, or could not be had. */
  | { outcome: "unanswered" };

export async function send(url: string, token: string, submitted: Submitted): Promise<Answer> {
  const headers = new Headers({
    "Authorization": `Bearer ${token}`,
    "Content-Type": "application/json",
  });
  if (submitted.key !== null) headers.set("Idempotency-Key", submitted.key);
  try {
    const body = JSON.stringify(submitted.body);
    const response = await fetch(url + submitted.path, { method: "POST", headers, body });
    const json = await response.json();
    return response.status === 201
      ? { outcome: "acknowledged", request: json }
      : { outcome: "refused", status: response.status };
  } catch {
    return { outcome: "unanswered" };
  }
}

/** Clients that submit one request after the other, to wherever the service is just then. */
export class Clients {
  readonly acknowledged: Acknowledged[] = [];
  /** Every submission that has an idempotency key, by its key. */
  readonly keyed = new Map<string, Submitted>();
  readonly refusals = new Map<number, number>();
  #work: Promise<void>[];
  #isOver = false;
  #sent = 0;

  constructor(count: number, token: string, serviceUrl: () => string) {
    this.#work = Array.from({ length: count }, async () => {
      while (!this.#isOver) {
        const submitted = this.#next();
        const answer = await send(serviceUrl(), token, submitted);
        if (answer.outcome === "acknowledged") {
          this.acknowledged.push({ submitted, request: answer.request });
        } else if (answer.outcome === "refused") {
          this.refusals.set(answer.status, (this.refusals.get(answer.status) ?? 0) + 1);
        } else {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    });
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#work);
  }

  /** Three in four are to be handed off, two in three have a key; in one tenant and four runs. */
  #next(): Submitted {
    const number = ++this.#sent;
    const run = number % 5 === 0 ? "" : `/runs/r-${number % 5}`;
    const submitted: Submitted = {
      path: `/v1/tenants/acme${run}/support-requests`,
      key: number % 3 === 0 ? null : `key-${number}`,
      body: {
        summary: `Submission ${number}`,
        handoff: { mode: number % 4 === 0 ? "none" : "create" },
      },
    };
    if (submitted.key !== null) this.keyed.set(submitted.key, submitted);
    return submitted;
  }
}
