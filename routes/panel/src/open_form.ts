import type { Session } from "./session.ts";
import { EMPTY_DRAFT } from "./submission.ts";

/** Opens the form for another request, or for the shown one again if its handoff failed. */
export function openForm(session: Session, mode?: "create" | "link"): void {
  const { state } = session;
  if (mode) {
    const { summary, severity } = state.summary!.supportRequest!;
    const draft = state.draft.summary
      ? state.draft
      : state.sent ?? { ...EMPTY_DRAFT, summary, severity };
    state.draft = { ...draft, mode };
  }
  Object.assign(state, { sent: null, expanded: false });
  session.render();
  session.focus(mode === "link" ? "ticket" : "summary");
}
