/** Records of several tenants and people, as the service writes them. */
import { assert } from "@std/assert";
import type { Actor } from "../../../domain/model/support_request.ts";
import { SharedRateLimit } from "../../../kv/rate_limit.ts";
import { openTestStore } from "../fixtures.ts";
import { FakeClock } from "../../support/clock.ts";
import { ACME, run, START } from "../../support/constants.ts";
import { claim, created, pendingIn } from "../../support/records.ts";

/** The person of whom every text has a mark. */
export const ADA: Actor = { id: "ada-7f3c", name: "Ada-7f3c" };
export const BOB: Actor = { id: "bob-9d1e", name: "Bob-9d1e" };

/** Tenants of which one's ID is a prefix of another's. */
const TENANTS = ["acme", "acme-2", "acme.x", "ac", "globex"];

/** Stores a request of each actor in each context of each tenant, with a key and a rate counter. */
export async function fill(kv: Deno.Kv, isExclusive = true): Promise<void> {
  using test = await openTestStore({ kv, isExclusive });
  const { store } = test;
  const limit = new SharedRateLimit(kv, 30, new FakeClock());
  let ticket = 0;
  for (const tenantId of TENANTS) {
    const contexts = [{ ...ACME, tenantId }, run("r-1", tenantId), run("r-2", tenantId)];
    for (const [i, context] of contexts.entries()) {
      for (const createdBy of [ADA, BOB]) {
        const text = `Written by ${createdBy.id}`;
        const request = { ...pendingIn(context), createdBy, summary: text, description: text };
        const key = claim({ tenantId, actorId: createdBy.id, key: `k-${i}` });
        const appended = await store.append(request, key);
        assert(appended.outcome === "stored");
        await limit.consume(tenantId, createdBy.id);
        if (i === 2) {
          await store.acquireLease(request.reference, START + 60_000);
        } else {
          // In the first run each person has resumed the other one's request.
          const actor = (i === 0) === (createdBy === ADA) ? ADA : BOB;
          await store.finalize(appended.stored, created(`${++ticket}`), actor);
        }
      }
    }
  }
}
