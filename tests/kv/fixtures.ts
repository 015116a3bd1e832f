import type { SupportContext } from "../../domain/model/context.ts";
import { type FinalHandoff, toTimestamp } from "../../domain/model/handoff.ts";
import type { KeyClaim } from "../../domain/ports/store.ts";
import { generateReference } from "../../domain/model/reference.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { FakeClock } from "../support/clock.ts";
import { DAY_MS, START } from "../support/constants.ts";
import { wrapKv } from "../support/wrap_kv.ts";
import { createStore, type StoreOptions } from "../../kv/store.ts";

export { ACME, DAY_MS, run, START } from "../support/constants.ts";
export { dump, lockDatabase, openKvFile, temporaryPath } from "../support/kv_file.ts";

/** Opens a store on a new KV in memory, or on `kv`, which is then not closed. */
export async function openTestStore(
  { kv, ...options }: Partial<StoreOptions> & { kv?: Deno.Kv } = {},
) {
  const handle = kv ?? await Deno.openKv(":memory:");
  const clock = new FakeClock();
  const store = createStore(handle, { clock, retentionDays: null, isExclusive: true, ...options });
  const close = () => {
    if (kv === undefined) handle.close();
  };
  return { store, kv: handle, clock, [Symbol.dispose]: close };
}

export function requestIn(
  context: SupportContext,
  fields: Partial<SupportRequest> & { now?: number } = {},
): SupportRequest {
  const { now = START, ...rest } = fields;
  return {
    schema: 1,
    reference: generateReference(now),
    context,
    summary: "The printer is on fire",
    severity: "normal",
    createdAt: toTimestamp(now),
    createdBy: { id: "u-1" },
    handoff: { status: "none" },
    ...rest,
  };
}

export function pendingIn(context: SupportContext, now = START): SupportRequest {
  return requestIn(context, { now, handoff: { status: "pending", since: toTimestamp(now) } });
}

export function created(ticket: string, now = START): FinalHandoff {
  const url = `https://desk.example/Ticket/Display.html?id=${ticket}`;
  return { status: "created", ticket: { reference: ticket, url }, at: toTimestamp(now) };
}

export function claim(fields: Partial<KeyClaim> = {}): KeyClaim {
  return {
    tenantId: "acme",
    actorId: "u-1",
    key: "k-1",
    fingerprint: "f",
    expiresAt: START + DAY_MS,
    replaces: null,
    ...fields,
  };
}

/** The first part of a key, and the lifetime of its value in milliseconds, if it has one. */
export type Expiry = [unknown, number | undefined];

/** Records the lifetime of each value that is set. */
export function withExpiries(kv: Deno.Kv, expiries: Expiry[]): Deno.Kv {
  return wrapKv(kv, {
    onCommit(commit, { sets }) {
      for (const { key, expireIn } of sets) expiries.push([key[0], expireIn]);
      return commit();
    },
  });
}
