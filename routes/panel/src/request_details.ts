/// <reference lib="dom" />
import { callDocument, type Child, h, setText } from "./dom.ts";
import { describeFailure, notice } from "./failure_text.ts";
import { load } from "./load.ts";
import { INTERRUPTED, outcomeOf } from "./outcome.ts";
import { resume } from "./resume.ts";
import type { Session } from "./session.ts";
import type { TextKey } from "./texts/en.ts";
import type { Translate } from "./translate.ts";
import type { SupportRequest } from "./types.ts";
import { openForm } from "./open_form.ts";

/** Creates a stored request's headline and all below: what is next, the reference, what can be done. */
export function requestDetails(
  request: SupportRequest,
  session: Session,
  t: Translate,
): Child[] {
  const { name, sentences, values, reason } = outcomeOf(request);
  const { check, loadFailure } = session.state;
  const failure = check?.failure ?? loadFailure;
  const checked = failure
    ? describeFailure(failure, t)
    : check?.unclear && reason === INTERRUPTED
    ? [t("unclear")]
    : [];
  const actions = actionsOf(request, session, t);
  return [
    h("h3#headline", { "tabindex": -1, "aria-describedby": "next" }, t(`head_${name}`, values)),
    h("p#next.hint", sentences.map((key) => t(key, values)).join(" ")),
    checked.length > 0 && notice(...checked),
    actions.length > 0 && h("div.actions", ...actions),
    h("div.section", ...referenceLine(request.reference, t)),
    h(
      "div.section",
      h("p", { dir: "auto" }, request.summary),
      h(
        "small.hint",
        `${t(request.severity)} · ${t.time(request.createdAt)} · `,
        h("bdi", request.createdBy.name ?? request.createdBy.id),
      ),
    ),
  ];
}

/** Creates the ticket's link, and the buttons for what a person can do about the request. */
function actionsOf(request: SupportRequest, session: Session, t: Translate): Child[] {
  const { name, values, ticket, remedy, reason } = outcomeOf(request);
  const { check, summary } = session.state;
  const button = (key: TextKey, click: () => void) => h(`button#${key}`, { click }, t(key));
  return [
    ticket && /^https?:/i.test(ticket.url) && h(
      "a#open",
      { href: ticket.url, target: "_blank", rel: "noopener noreferrer" },
      t("openTicket", values),
      " ↗",
      h("span.unseen", t("newTab")),
    ),
    name === "pending" && button("look", () => load(session)),
    reason === INTERRUPTED && h(
      "button#resume",
      { "aria-disabled": check?.running && "true", "click": () => resume(session) },
      t(check?.running ? "resuming" : "resume"),
    ),
    remedy && summary!.handoffModes.includes(remedy) &&
    button(remedy, () => openForm(session, remedy)),
  ].filter(Boolean);
}

function referenceLine(reference: string, t: Translate): Child[] {
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
