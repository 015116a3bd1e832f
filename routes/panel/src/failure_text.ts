/// <reference lib="dom" />
import type { Failure } from "./api_client.ts";
import { type Child, h } from "./dom.ts";
import type { Translate } from "./translate.ts";

/** Returns what a person reads about a failed call: what happened, and what to do. */
export function describeFailure(
  { kind, requestId, retryIn: seconds, maybe }: Failure,
  t: Translate,
  isSubmission?: boolean,
): Child[] {
  return [
    h("p", t(kind), !isSubmission && seconds ? ` ${t("wait", { seconds })}` : ""),
    isSubmission && h("p", t(maybe ? "maybe" : "unsaved")),
    requestId && h("small.hint", t("quote"), " ", h("code", requestId)),
  ];
}

/** Creates the place where a person reads what is wrong; a screen reader says it at once. */
export function notice(...children: Child[]): HTMLElement {
  return h("div#checked.notice", { role: "alert" }, ...children);
}
