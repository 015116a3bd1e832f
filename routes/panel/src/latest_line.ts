/// <reference lib="dom" />
import { type Child, h } from "./dom.ts";
import { describeFailure, notice } from "./failure_text.ts";
import { icon } from "./icons.ts";
import { load, startOver } from "./load.ts";
import { outcomeOf } from "./outcome.ts";
import { requestDetails } from "./request_details.ts";
import type { Session } from "./session.ts";
import type { Translate } from "./translate.ts";

/**
 * Creates the part above the form: the latest request as one line that opens, or else what the form
 * is for. Both are equally high, so that the form does not move when the response arrives.
 */
export function latestLine(session: Session, t: Translate): Child[] {
  const { summary, loadFailure, expanded } = session.state;
  const reload = () => {
    startOver(session);
    session.render();
    load(session);
  };
  if (loadFailure) {
    return [
      notice(...describeFailure(loadFailure, t)),
      h("button#reload", { click: reload }, t("again")),
    ];
  }
  const request = summary?.supportRequest;
  if (!request) {
    return [h("p.hint", t(!summary ? "lead" : summary.desk ? "leadDesk" : "noDesk"))];
  }
  const { name, values } = outcomeOf(request);
  return [h(
    `details.latest ${name}`,
    {
      open: expanded,
      toggle: ({ target }: { target: HTMLDetailsElement }) => session.state.expanded = target.open,
    },
    h(
      "summary#latest",
      icon(name),
      h(
        "span.line",
        h("span", { dir: "auto" }, request.summary),
        h("small.tone", `${t("latest")} · ${t(`head_${name}`, values)}`),
      ),
    ),
    h("div.details", ...requestDetails(request, session, t)),
  )];
}
