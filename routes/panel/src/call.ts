/// <reference lib="dom" />
import { type CallResult, callService, type Failure } from "./api_client.ts";
import { logError } from "./log_error.ts";
import { dispatch } from "./events.ts";
import { parseContextSummary, parseSupportRequest } from "./parse.ts";
import type { Session } from "./session.ts";
import type { Attempt, ContextState } from "./state.ts";
import type { ContextSummary, GetToken, SupportRequest } from "./types.ts";
import { delay } from "./within.ts";

/** The calls of the panel, and what each returns. */
interface Results {
  load: ContextSummary;
  submit: SupportRequest;
  resume: SupportRequest;
}

type Endpoint<T> = [method: string, path: string, parse: (json: unknown) => T | null];

const ENDPOINTS: { [K in keyof Results]: Endpoint<Results[K]> } = {
  load: ["GET", "/latest", parseContextSummary],
  submit: ["POST", "", parseSupportRequest],
  resume: ["POST", "/latest/resume", parseSupportRequest],
};

/**
 * Calls the service in one context, if the page has set the panel up. A failure is dispatched to the
 * page, and counts down until another attempt makes sense.
 */
export async function call<K extends keyof Results>(
  session: Session,
  { url, invalid }: ContextState,
  during: K,
  attempt?: Attempt,
): Promise<CallResult<Results[K]>> {
  // The page may be setting one property after the other.
  await delay(0);
  const { getToken } = session.settings;
  const missing = invalid ?? (typeof getToken === "function" ? null : "getToken");
  if (missing) logError(`${missing} is missing or invalid`);
  const [method, path, parse] = ENDPOINTS[during];
  const result: CallResult<Results[K]> = missing
    ? { failure: { kind: "setup" } }
    : await callService({
      ...attempt,
      method,
      url: url + path,
      parse,
      getToken: getToken as GetToken,
    });
  const { failure } = result;
  if (failure) {
    const { kind, status, requestId } = failure;
    dispatch(session.element, "support-request-error", { kind, during, status, requestId });
    if (failure.retryIn) countDown(failure, session);
  }
  return result;
}

function countDown(failure: Failure, session: Session): void {
  const timer = setInterval(() => {
    if (!--failure.retryIn!) clearInterval(timer);
    session.render();
  }, 1000);
}
