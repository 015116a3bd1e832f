/// <reference lib="dom" />
import type { Failure } from "./api_client.ts";
import { type Child, h } from "./dom.ts";
import type { Translate } from "./translate.ts";

/** Failures after which the service may have stored the request all the same. */
const UNCERTAIN = ["unreachable", "timeout", "malformed", "serverError", "conflict"];

/** Returns what a person reads about a failed call: what happened, and what to do. */
export function describeFailure(
  { kind, requestId, retryIn: seconds }: Failure,
  t: Translate,
  isSubmission?: boolean,
): Child[] {
  return [
    h("p", t(kind), isSubmission ? "" : seconds ? ` ${t("wait", { seconds })}` : ""),
    isSubmission && UNCERTAIN.includes(kind) && h("p", t("maybe")),
    requestId && h("small.hint", t("quote"), " ", h("code", requestId)),
  ];
}
