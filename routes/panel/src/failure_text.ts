/// <reference lib="dom" />
import type { Failure } from "./api_client.ts";
import { type Child, h } from "./dom.ts";
import type { Translate } from "./translate.ts";

/** Returns what a person reads about a failed call: what happened, and what to do. */
export function describeFailure(
  { kind, requestId, retryIn: seconds, mayBeStored }: Failure,
  t: Translate,
  isSubmission?: boolean,
): Child[] {
  return [
    h("p", t(kind), !isSubmission && seconds ? ` ${t("wait", { seconds })}` : ""),
    isSubmission && h("p", t(mayBeStored ? "maybe" : "unsaved")),
    requestId && h("small.hint", t("quote"), " ", h("code", requestId)),
  ];
}

/** Creates an alert with what is wrong; a screen reader announces it immediately. */
export function notice(...children: Child[]): HTMLElement {
  return h("div#checked.notice", { role: "alert" }, ...children);
}
