import { call } from "./call.ts";
import type { Session } from "./session.ts";
import { type ContextState, latestReference } from "./state.ts";

/** Has the service finish the interrupted handoff of the request that is shown. */
export async function resume(session: Session): Promise<void> {
  const { state } = session;
  const shown = latestReference(state);
  if (state.check?.running || state.check?.failure?.retryIn) return;
  const check: ContextState["check"] = state.check = { running: true };
  session.render();
  const { value, failure } = await call(session, state, "resume");
  // A newer response has replaced what was checked.
  if (state.check !== check || latestReference(state) !== shown) return;
  state.check = { failure, unclear: value?.reference === shown };
  if (value) state.summary = { ...state.summary!, supportRequest: value };
  session.render();
}
