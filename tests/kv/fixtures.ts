import { DatabaseSync } from "node:sqlite";
import type { SupportContext } from "../../domain/model/context.ts";
import { type FinalHandoff, toTimestamp } from "../../domain/model/handoff.ts";
import type { KeyClaim } from "../../domain/ports/store.ts";
import { generateReference } from "../../domain/model/reference.ts";
import type { SupportRequest } from "../../domain/model/support_request.ts";
import { createStore, type StoreOptions } from "../../kv/store.ts";

export const START = Date.parse("2026-11-23T12:00:00.000Z");
export const DAY_MS = 24 * 60 * 60 * 1000;

export const ACME: SupportContext = { kind: "tenant", tenantId: "acme" };

export function run(runId: string, tenantId = "acme"): SupportContext {
  return { kind: "run", tenantId, runId };
}

/** A clock that stands still until a test sets it. */
export class SetClock {
  time = START;
  now = () => this.time;
  elapsed = () => performance.now();
}

/** A store on a KV of its own, in memory, or on `kv`, which is then left open. */
export async function openTestStore(
  { kv, ...options }: Partial<StoreOptions> & { kv?: Deno.Kv } = {},
) {
  const handle = kv ?? await Deno.openKv(":memory:");
  const clock = new SetClock();
  const store = createStore(handle, { clock, retentionDays: null, isExclusive: true, ...options });
  const close = () => {
    if (kv === undefined) handle.close();
  };
  return { store, kv: handle, clock, [Symbol.dispose]: close };
}

/** A path for a KV file, in a folder that goes away with it. */
export async function temporaryPath() {
  const folder = await Deno.makeTempDir();
  return {
    path: `${folder}/deskhand.kv`,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}

/** A KV on a file that can be locked at once: its first call does what a lock would make wait. */
export async function openKvFile(path: string): Promise<Deno.Kv> {
  const kv = await Deno.openKv(path);
  await kv.get(["first"]);
  return kv;
}

/** Locks the database against other writers until released. */
export function lockDatabase(path: string) {
  const database = new DatabaseSync(path);
  database.exec("BEGIN IMMEDIATE");
  const release = () => {
    if (database.isOpen) database.close();
  };
  return { release, [Symbol.dispose]: release };
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

/** All that KV holds. */
export function dump(kv: Deno.Kv): Promise<Deno.KvEntry<unknown>[]> {
  return Array.fromAsync(kv.list({ prefix: [] }));
}

/** The first part of a key, and for how many milliseconds its value is to be kept. */
export type Expiry = [unknown, number | undefined];

/** Records for how long each value that is set is to be kept. */
export function withExpiries(kv: Deno.Kv, expiries: Expiry[]): Deno.Kv {
  const atomic = () => {
    const operation = kv.atomic();
    const set = operation.set.bind(operation);
    operation.set = (key, value, options) => {
      expiries.push([key[0], options?.expireIn]);
      return set(key, value, options);
    };
    return operation;
  };
  return { atomic, list: kv.list.bind(kv), get: kv.get.bind(kv) } as Deno.Kv;
}
