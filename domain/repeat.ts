import type { Deskhand } from "./deskhand.ts";
import { handOff } from "./hand_off.ts";
import { asRead, GRACE_MS, isInterrupted } from "./interruption.ts";
import type { KeyClaim, KeyLookup, LogFields, Stored } from "./ports.ts";
import type { SupportRequest } from "./support_request.ts";
import { settle } from "./settle.ts";
import type { SubmitResult } from "./submit.ts";

/** Answers a submission whose key is taken: a replay, a refusal, or the resume of a handoff. */
export async function repeat(
  deskhand: Deskhand,
  taken: Extract<KeyLookup, { outcome: "taken" }>,
  claim: KeyClaim,
  fields: LogFields,
): Promise<SubmitResult> {
  const { clock, deskTimeoutMs, underWay } = deskhand;
  if (taken.fingerprint !== claim.fingerprint) return { outcome: "key_reused" };
  const { request } = taken.stored;
  if (request.handoff.status !== "pending") return replay(deskhand, request);
  const isAlive = underWay.has(request.reference) ||
    !isInterrupted(request.handoff, clock.now(), deskTimeoutMs);
  if (isAlive) return underWayElsewhere(deskhand);
  const began = clock.elapsed();
  return await underWay.run(
    request.reference,
    began,
    () => resume(deskhand, taken.stored, began, { ...fields, reference: request.reference }),
  );
}

function replay({ clock, deskTimeoutMs }: Deskhand, request: SupportRequest): SubmitResult {
  return {
    outcome: "submitted",
    request: asRead(request, clock.now(), deskTimeoutMs),
    replayed: true,
  };
}

function underWayElsewhere({ deskTimeoutMs }: Deskhand): SubmitResult {
  return { outcome: "under_way", retryAfterSeconds: Math.ceil(deskTimeoutMs / 1000) };
}

/** Goes on with an interrupted handoff under the lease, so that it ends with one ticket. */
async function resume(
  deskhand: Deskhand,
  stored: Stored,
  began: number,
  fields: LogFields,
): Promise<SubmitResult> {
  const { store, clock, deskTimeoutMs } = deskhand;
  const until = clock.now() + deskTimeoutMs + GRACE_MS;
  const lease = await store.takeLease(stored.request.reference, until);
  if (lease === null) return underWayElsewhere(deskhand);
  try {
    // Whoever held the lease before may have settled the request since it was read.
    const current = await store.reread(stored) ?? stored;
    if (current.request.handoff.status !== "pending") return replay(deskhand, current.request);
    const request = await settle(deskhand, current, began, fields, async (desk, signal) => {
      const lookup = await desk.find(current.request, signal);
      if (lookup.outcome === "found") return { outcome: "created", ticket: lookup.ticket };
      if (lookup.outcome === "unclear" || signal.aborted) return null;
      return await handOff(desk, current.request, signal);
    });
    return replay(deskhand, request);
  } finally {
    // A lease that cannot be released ends by itself.
    await store.releaseLease(lease).catch(() => {});
  }
}
