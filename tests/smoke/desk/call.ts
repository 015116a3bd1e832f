/** Calls from this machine to the desk's REST API, with the desk's token. */
import { readBody } from "../../../desk/read_body.ts";
import type { Problem } from "../finding.ts";
import { explainNetworkError } from "../network.ts";

export interface DeskResponse {
  status: number;
  headers: Headers;
  /** Undefined if the body is not JSON. */
  json: unknown;
  /** Milliseconds since the epoch. */
  sentAt: number;
  receivedAt: number;
}

export type DeskCallResult =
  | { outcome: "response"; response: DeskResponse }
  | { outcome: "no_response"; problem: Problem };

const TIMEOUT_MS = 5_000;

/**
 * Sends a GET request for a path below `/REST/2.0/`. Never rejects, follows no redirect, and reads
 * at most 64 KiB, as the service does.
 */
export async function callDesk(
  { baseUrl, token }: { baseUrl: string; token: string | null },
  path: string,
): Promise<DeskCallResult> {
  const headers: Record<string, string> = {
    "Accept": "application/json",
    // RT takes a User-Agent with "Mozilla" for a browser and redirects it to the login page.
    "User-Agent": "Deskhand",
  };
  if (token !== null) headers.Authorization = `token ${token}`;
  const url = `${baseUrl}/REST/2.0/${path}`;
  const sentAt = Date.now();
  try {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const response = await fetch(url, { headers, redirect: "manual", signal });
    const receivedAt = Date.now();
    const body = await readBody(response);
    const { status } = response;
    const json = body === null ? undefined : parseJson(body);
    return {
      outcome: "response",
      response: { status, headers: response.headers, json, sentAt, receivedAt },
    };
  } catch (error) {
    const endpoint = { name: "RT", url: baseUrl, setting: "SUPPORT_DESK_URL" };
    return {
      outcome: "no_response",
      problem: await explainNetworkError(error, endpoint, TIMEOUT_MS),
    };
  }
}

function parseJson(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
}
