import { call } from "./call.ts";
import type { Session } from "./session.ts";
import { type ContextState, latestReference } from "./state.ts";

/** Resets the state to the form before anything is loaded. Keeps what was typed. */
export function startOver({ state }: Session): void {
  const start: Partial<ContextState> = {
    loading: undefined,
    loadFailure: null,
    check: null,
    sent: null,
    expanded: false,
  };
  Object.assign(state, start);
}

/** Loads the latest request. Leaves a result that is shown, unless there is a newer request. */
export async function load(session: Session): Promise<void> {
  const { state } = session;
  const loading = state.loading = call(session, state, "load");
  const { value, failure } = await loading;
  // Another response has replaced what this one says.
  if (state.loading !== loading) return;
  Object.assign(state, { loading: null, loadFailure: failure });
  if (value) {
    if (latestReference(state) !== value.supportRequest?.reference) state.sent = null;
    Object.assign(state, { summary: value, check: null });
  }
  session.render();
}
