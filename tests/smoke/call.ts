import { z } from "zod";

export interface Target {
  /** Without a slash at the end. */
  url: string;
  token: string;
  tenantId: string;
  /** A run of this smoke test's own. */
  runId: string;
}

export interface CallOptions {
  /** Instead of the target's token; null sends none. */
  token?: string | null;
  /** What to submit. */
  json?: unknown;
  method?: "GET" | "POST";
  idempotencyKey?: string;
  /** By this the service's log is searched. */
  requestId: string;
}

export type Answer =
  /** `json` is undefined where the body is not JSON. */
  | { outcome: "answered"; status: number; headers: Headers; json: unknown }
  /** No answer came, for a reason that `note` tells. */
  | { outcome: "unanswered"; note: string };

/** The desk alone may take five seconds of a submission, and KV some more. */
const SUBMISSION_DEADLINE_MS = 10_000;
const DEADLINE_MS = 5_000;

/** Calls a Deskhand. It never throws, never hangs, and takes the token nowhere else. */
export async function call(target: Target, path: string, options: CallOptions): Promise<Answer> {
  const { token = target.token, json, idempotencyKey, requestId } = options;
  const method = options.method ?? (json === undefined ? "GET" : "POST");
  const deadlineMs = method === "POST" ? SUBMISSION_DEADLINE_MS : DEADLINE_MS;
  const headers = new Headers({ "Accept": "application/json", "X-Request-Id": requestId });
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  if (json !== undefined) headers.set("Content-Type", "application/json");
  if (idempotencyKey !== undefined) headers.set("Idempotency-Key", idempotencyKey);
  try {
    const response = await fetch(target.url + path, {
      method,
      headers,
      body: json === undefined ? undefined : JSON.stringify(json),
      redirect: "manual",
      signal: AbortSignal.timeout(deadlineMs),
    });
    const text = await response.text();
    return {
      outcome: "answered",
      status: response.status,
      headers: response.headers,
      json: parseJson(text),
    };
  } catch (error) {
    return { outcome: "unanswered", note: whyUnanswered(error, target.url, deadlineMs) };
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

const WHERE = "Deskhand listens at HOST and PORT, by default http://127.0.0.1:8000";

function whyUnanswered(error: unknown, url: string, deadlineMs: number): string {
  if (error instanceof DOMException && error.name === "TimeoutError") {
    return `No answer within ${deadlineMs / 1000} s. Look at Deskhand's log and its machine's ` +
      "load, and at what stands before it";
  }
  const { origin, hostname } = new URL(url);
  const text = error instanceof Error ? `${error.message}\n${cause(error)}` : "";
  if (/dns error|failed to lookup/i.test(text)) {
    return `The name ${hostname} cannot be resolved. Check --url`;
  }
  if (/certificate|tls|ssl|corrupt message/i.test(text)) {
    return `No TLS connection to ${origin} comes about. Check its certificate, and whether --url ` +
      "should begin with https or http";
  }
  if (/refused/i.test(text)) {
    return `Nothing listens at ${origin}. Start Deskhand, or give its address with --url (${WHERE})`;
  }
  if (/port \d+ are blocked/.test(text)) {
    return `Nothing may be called at the port of ${origin}, which other protocols use. Check --url`;
  }
  if (/client error \(Connect\)/.test(text)) {
    return `No connection to ${origin} comes about. Check --url, and the network between (${WHERE})`;
  }
  return `The connection to ${origin} broke. Look whether Deskhand still runs, at the end of its ` +
    "log, and at what stands before it";
}

function cause(error: Error): string {
  return error.cause instanceof Error ? error.cause.message : "";
}

/** Where the requests of the test's run are. */
export function requestsOf({ tenantId, runId }: Target): string {
  return `/v1/tenants/${tenantId}/runs/${runId}/support-requests`;
}

/** Null where no answer came. */
export function statusOf(answer: Answer): number | null {
  return answer.outcome === "answered" ? answer.status : null;
}

/** The body of the one answer that is wanted, or null. */
export function bodyOf<T>(answer: Answer, status: number, schema: z.ZodType<T>): T | null {
  if (answer.outcome === "unanswered" || answer.status !== status) return null;
  return schema.safeParse(answer.json).data ?? null;
}

const ProblemType = z.object({
  type: z.string().regex(/^(https?:\/\/[^?#]+)?\/problems\/[a-z-]{1,60}$/),
});

/** The last part of a problem's `type`, or null where the body is not one of Deskhand's. */
export function problemOf(json: unknown): string | null {
  return ProblemType.safeParse(json).data?.type.split("/").at(-1) ?? null;
}
