/** Calls to the Deskhand that is tested. */
import * as z from "zod";
import type { Problem } from "./finding.ts";
import { type Endpoint, explainNetworkError } from "./network.ts";

export interface Target {
  /** Without a trailing slash. */
  url: string;
  /** The settings that the URL comes from: `--url`, or `HOST and PORT`. */
  setting: string;
  token: string;
  tenantId: string;
  /** A run that only this smoke test uses. */
  runId: string;
}

export interface CallOptions {
  /** Instead of the target's URL. */
  baseUrl?: string;
  /** Instead of the target's token; null sends none. */
  token?: string | null;
  /** The body to submit. */
  json?: unknown;
  method?: "GET" | "POST";
  idempotencyKey?: string;
  /** Identifies the call in the service's log. */
  requestId: string;
}

export type CallResult =
  | {
    outcome: "response";
    status: number;
    headers: Headers;
    /** Undefined if the body is not JSON. */
    json: unknown;
    /** Milliseconds since the epoch. */
    sentAt: number;
    receivedAt: number;
  }
  | { outcome: "no_response"; problem: Problem };

/** The desk may take five seconds of a submission, and KV some more. */
const SUBMISSION_TIMEOUT_MS = 10_000;
const TIMEOUT_MS = 5_000;

/** Calls a Deskhand. Never rejects, follows no redirect, and always ends. */
export async function call(
  target: Target,
  path: string,
  options: CallOptions,
): Promise<CallResult> {
  const { token = target.token, json, idempotencyKey, requestId, baseUrl = target.url } = options;
  const method = options.method ?? (json === undefined ? "GET" : "POST");
  const timeoutMs = method === "POST" ? SUBMISSION_TIMEOUT_MS : TIMEOUT_MS;
  const headers = new Headers({ "Accept": "application/json", "X-Request-Id": requestId });
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  if (json !== undefined) headers.set("Content-Type", "application/json");
  if (idempotencyKey !== undefined) headers.set("Idempotency-Key", idempotencyKey);
  const sentAt = Date.now();
  try {
    const response = await fetch(baseUrl + path, {
      method,
      headers,
      body: json === undefined ? undefined : JSON.stringify(json),
      redirect: "manual",
      signal: AbortSignal.timeout(timeoutMs),
    });
    const receivedAt = Date.now();
    const { status } = response;
    const body = parseJson(await response.text());
    return {
      outcome: "response",
      status,
      headers: response.headers,
      json: body,
      sentAt,
      receivedAt,
    };
  } catch (error) {
    const problem = await explainNetworkError(error, endpointOf(target, baseUrl), timeoutMs);
    return { outcome: "no_response", problem };
  }
}

/** The server that a call goes to. */
export function endpointOf({ url, setting }: Target, baseUrl: string = url): Endpoint {
  return { name: "Deskhand", url: baseUrl, setting: baseUrl === url ? setting : "PUBLIC_URL" };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The path of the support requests of the test's run. */
export function requestsPath({ tenantId, runId }: Target): string {
  return `/v1/tenants/${tenantId}/runs/${runId}/support-requests`;
}

/** Returns the status of a response, or null if there was none. */
export function statusOf(result: CallResult): number | null {
  return result.outcome === "response" ? result.status : null;
}

/** Returns the body of a response with the expected status, or null. */
export function bodyOf<T>(result: CallResult, status: number, schema: z.ZodType<T>): T | null {
  if (statusOf(result) !== status || result.outcome !== "response") return null;
  return schema.safeParse(result.json).data ?? null;
}

const ProblemType = z.object({
  type: z.string().regex(/^(https?:\/\/[^?#]+)?\/problems\/[a-z-]{1,60}$/),
});

/**
 * Returns the last part of a problem's `type`, or null if the body is not a problem of Deskhand.
 */
export function problemOf(result: CallResult): string | null {
  if (result.outcome !== "response") return null;
  return ProblemType.safeParse(result.json).data?.type.split("/").at(-1) ?? null;
}
