/// <reference lib="dom" />
import { callDocument, type Child, h, setText } from "./dom.ts";
import { describeFailure } from "./failure_text.ts";
import { outcomeOf } from "./outcome.ts";
import type { Session } from "./session.ts";
import type { TextKey } from "./texts/en.ts";
import type { Translate } from "./translate.ts";
import type { SupportRequest } from "./types.ts";

/** What a part of the panel is rendered with. */
export interface RenderContext {
  session: Session;
  t: Translate;
  /** Formats an ISO time for the person. */
  formatTime(iso: string): string;
}

/** Creates a stored request's headline and all below: what is next, the reference, what can be done. */
export function requestDetails(request: SupportRequest, context: RenderContext): Child[] {
  const { session, t, formatTime } = context;
  const { name, sentences, values, ticket, remedy, isInterrupted } = outcomeOf(request);
  const { check, loadFailure, summary } = session.state;
  const failure = check?.failure ?? loadFailure;
  const button = (key: TextKey, click: () => void, id = "") => h(`button${id}`, { click }, t(key));
  const checked = failure
    ? describeFailure(failure, t)
    : check?.isUnclear && isInterrupted
    ? [t("unclear")]
    : [];
  const actions = [
    ticket && /^https?:/i.test(ticket.url) && h(
      "a#open",
      { href: ticket.url, target: "_blank", rel: "noopener noreferrer" },
      t("openTicket", values),
      " ↗",
      h("span.unseen", t("newTab")),
    ),
    name === "pending" && button("look", () => session.load(true)),
    isInterrupted && h(
      "button#resume",
      {
        "aria-disabled": Boolean(check?.isRunning) && "true",
        "click": session.resume,
      },
      t(check?.isRunning ? "resuming" : "resume"),
    ),
    remedy && summary!.handoffModes.includes(remedy) && button(remedy, () => session.write(remedy)),
  ].filter(Boolean);
  return [
    h("h3#headline", { tabindex: -1 }, t(`head_${name}`, values)),
    h("p#next.muted", sentences.map((key) => t(key, values)).join(" ")),
    checked.length > 0 && h("div#checked.notice", { role: "alert" }, ...checked),
    actions.length > 0 && h("div.actions", ...actions),
    h("div.section", ...referenceLine(request.reference, context)),
    h(
      "div.section",
      h("p", { dir: "auto" }, request.summary),
      h(
        "small.hint",
        `${t(request.severity)} · ${formatTime(request.createdAt)} · `,
        h("bdi", request.createdBy.name ?? request.createdBy.id),
      ),
    ),
  ];
}

function referenceLine(reference: string, { t }: RenderContext): Child[] {
  const code = h("code#reference", reference);
  const copy = h("button#copy.quiet", {
    "aria-live": "polite",
    "click": async () => {
      setText(copy, t(await copyText(reference, code) ? "copied" : "selected"));
    },
  }, t("copy"));
  return [
    h("small.hint", t("reference")),
    h("div.reference", code, copy),
  ];
}

/** Copies a text, or selects it where the page has no access to the clipboard. Never rejects. */
async function copyText(text: string, source: Node): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Plain http, a frame without the permission, or a person who declined.
  }
  getSelection()?.selectAllChildren(source);
  try {
    return callDocument("execCommand", "copy");
  } catch {
    return false;
  }
}
