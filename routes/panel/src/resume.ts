import { call } from "./call.ts";
import type { Session } from "./session.ts";
import { type ContextState, latestReference } from "./state.ts";

/** Has the service finish the interrupted handoff of the request that is shown. */
export async function resume(session: Session): Promise<void> {
  const own = session.state;
  const shown = latestReference(own);
  if (own.check?.running || own.check?.failure?.retryIn) return;
  const check: ContextState["check"] = own.check = { running: true };
  session.render();
  const { value, failure } = await call(session, own, "resume");
  // A newer response has replaced what was checked.
  if (own.check !== check || latestReference(own) !== shown) return;
  own.check = { failure, unclear: value?.reference === shown };
  if (value) own.summary = { ...own.summary!, supportRequest: value };
  session.render();
}
