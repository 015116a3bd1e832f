import { call } from "./call.ts";
import type { Session } from "./session.ts";
import { latestReference } from "./state.ts";

/** Returns to the form, as it is before anything is loaded. What was typed stays. */
export function startOver({ state }: Session): void {
  Object.assign(state, {
    ...{ loading: undefined, loadFailure: null, check: null },
    ...{ sent: null, expanded: false },
  });
}

/** Loads the latest request. A result that is shown stays, unless there is a newer request. */
export async function load(session: Session): Promise<void> {
  const own = session.state;
  const loading = own.loading = call(session, own, "load");
  const { value, failure } = await loading;
  // Another response has replaced what this one says.
  if (own.loading !== loading) return;
  Object.assign(own, { loading: null, loadFailure: failure });
  if (value) {
    if (latestReference(own) !== value.supportRequest?.reference) own.sent = null;
    Object.assign(own, { summary: value, check: null });
  }
  session.render();
}
