import type { SupportRequest } from "../../domain/model/support_request.ts";

/** One submission, and each retry of it. */
export interface Submitted {
  path: string;
  key: string | null;
  body: { summary: string; handoff: { mode: "create" | "none" } };
}

/** A submission that got 201. */
export interface Acknowledged {
  submitted: Submitted;
  request: SupportRequest;
}

export type Outcome =
  | { outcome: "acknowledged"; request: SupportRequest }
  | { outcome: "rejected"; status: number }
  /** The connection was refused or lost. */
  | { outcome: "no_response" };

export async function send(url: string, token: string, submitted: Submitted): Promise<Outcome> {
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
      : { outcome: "rejected", status: response.status };
  } catch {
    return { outcome: "no_response" };
  }
}

/** Clients that each submit one request after another to the current URL of the service. */
export class Clients {
  readonly acknowledged: Acknowledged[] = [];
  /** Submissions with an idempotency key, by that key. */
  readonly keyed = new Map<string, Submitted>();
  readonly rejections = new Map<number, number>();
  #work: Promise<void>[];
  #isStopped = false;
  #sent = 0;

  constructor(count: number, token: string, serviceUrl: () => string) {
    this.#work = Array.from({ length: count }, async () => {
      while (!this.#isStopped) {
        const submitted = this.#next();
        const result = await send(serviceUrl(), token, submitted);
        if (result.outcome === "acknowledged") {
          this.acknowledged.push({ submitted, request: result.request });
        } else if (result.outcome === "rejected") {
          this.rejections.set(result.status, (this.rejections.get(result.status) ?? 0) + 1);
        } else {
          await new Promise((resolve) => setTimeout(resolve, 10));
        }
      }
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await Promise.all(this.#work);
  }

  /** Three of four create a ticket, two of three have a key; in one tenant and four runs. */
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
