import type { Deskhand } from "./deskhand.ts";
import { finalize } from "./finalize.ts";
import { handOff, settled } from "./hand_off.ts";
import type { DeskOutcome } from "./handoff.ts";
import { PATIENCE_MS } from "./interruption.ts";
import type { Desk, LogFields, Stored } from "./ports.ts";
import type { SupportRequest } from "./support_request.ts";

/** One attempt at the desk; null where it must neither be written nor be believed. */
type Attempt = (desk: Desk, signal: AbortSignal) => Promise<DeskOutcome | null>;

/**
 * Hands a pending request off and finalizes it. Returns the request as it is stored then.
 * `began` is when the submission arrived, or the lease was asked for, by `clock.elapsed`: where
 * that is long ago the desk is not asked, and the request stays pending, to be resumed. `attempt`
 * is what is asked of the desk, within one deadline for all of it.
 */
export async function settle(
  deskhand: Deskhand,
  stored: Stored,
  began: number,
  fields: LogFields,
  attempt: Attempt = (desk, signal) => handOff(desk, stored.request, signal),
): Promise<SupportRequest> {
  const { desk, clock, deskTimeoutMs, log, telemetry } = deskhand;
  if (desk === null) return stored.request;
  const started = clock.elapsed();
  if (started - began > PATIENCE_MS) {
    log.warn("Left the handoff pending: too much time has passed to ask the desk", fields);
    return stored.request;
  }
  const outcome = await telemetry.time(
    "desk.handoff",
    () => attempt(desk, clock.deadline(deskTimeoutMs)),
    nameOf,
  );
  const deskMs = Math.round(clock.elapsed() - started);
  logOutcome(deskhand, outcome, { ...fields, deskMs });
  if (outcome === null) return stored.request;
  const handoff = settled(outcome, stored.request, desk, clock.now());
  return await finalize(deskhand, stored, handoff, fields);
}

function nameOf(outcome: DeskOutcome | null): string {
  if (outcome === null) return "unclear";
  return outcome.outcome === "created" ? "created" : outcome.failure.reason;
}

function logOutcome({ log }: Deskhand, outcome: DeskOutcome | null, fields: LogFields): void {
  const named = { ...fields, outcome: nameOf(outcome) };
  if (outcome === null) {
    log.warn("Left the handoff interrupted: the desk gave no clear answer", named);
  } else if (outcome.outcome === "created") {
    log.info("Handed the support request off", { ...named, ticket: outcome.ticket.reference });
  } else {
    log.warn("Could not hand the support request off", named);
  }
}
