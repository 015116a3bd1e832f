import type { Context } from "./context.ts";
import type { Deskhand } from "./deskhand.ts";
import { asRead } from "./interruption.ts";
import { HANDOFF_MODES, type HandoffMode } from "./submission.ts";
import type { SupportRequest } from "./support_request.ts";

/** All that the place where a person asks for help needs to know when it opens. */
export interface ContextSummary {
  desk: { label: string } | null;
  handoffModes: readonly HandoffMode[];
  supportRequest: SupportRequest | null;
}

/**
 * What a context's own people see: the desk, what they can ask of it, and the latest request.
 *
 * @throws {StoreUnavailable}
 */
export async function latest(
  { store, desk, clock, deskTimeoutMs }: Deskhand,
  context: Context,
): Promise<ContextSummary> {
  const stored = await store.latest(context);
  return {
    desk: desk && { label: desk.label },
    handoffModes: desk ? HANDOFF_MODES : ["none"],
    supportRequest: stored && asRead(stored.request, clock.now(), deskTimeoutMs),
  };
}
