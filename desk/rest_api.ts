import { type Exchange, sendRequest } from "./http.ts";

/**
 * Request Tracker's REST 2.0 API, as one of its users. No method rejects or outlives its signal.
 */
export interface RestApi {
  /** Sends `POST /REST/2.0/ticket`; 201 is expected. */
  createTicket(fields: unknown, signal: AbortSignal): Promise<Exchange>;
  /** Sends a GET request for a path below `/REST/2.0/`; 200 is expected. */
  get(path: string, signal: AbortSignal): Promise<Exchange>;
}

/**
 * Creates a client for the API below `baseUrl`, which has no trailing slash.
 *
 * @throws {TypeError} If the token is not a valid header value.
 */
export function createRestApi(
  baseUrl: string,
  token: string,
  fetch: typeof globalThis.fetch,
): RestApi {
  const headers = requestHeaders(token);
  const urlOf = (path: string) => `${baseUrl}/REST/2.0/${path}`;
  return {
    createTicket(fields, signal) {
      const body = JSON.stringify(fields);
      const request = { method: "POST", url: urlOf("ticket"), headers, body } as const;
      return sendRequest(fetch, { ...request, expectedStatus: 201 }, signal);
    },
    get(path, signal) {
      const request = { method: "GET", url: urlOf(path), headers } as const;
      return sendRequest(fetch, { ...request, expectedStatus: 200 }, signal);
    },
  };
}

function requestHeaders(token: string): Record<string, string> {
  const headers = {
    "Accept": "application/json",
    "Authorization": `token ${token}`,
    "Content-Type": "application/json",
    // Request Tracker takes a User-Agent with "Mozilla" for a browser and redirects an invalid
    // token to its login page.
    "User-Agent": "Deskhand",
  };
  try {
    new Headers(headers);
  } catch {
    // The runtime's error message would contain the token.
    throw new TypeError(
      "Invalid desk token: it contains characters that are not allowed in an HTTP header",
    );
  }
  return headers;
}
