import type { Erasure } from "../../domain/model/audit.ts";
import { toTimestamp } from "../../domain/model/handoff.ts";
import { erasureKey } from "../keys.ts";
import type { Tally } from "./tally.ts";
import type { Scope } from "./targets.ts";

/** The record of one erasure. What KV drops by itself leaves none, so neither does `expired`. */
export class ErasureRecord {
  #scope: Scope;
  #at: number;
  #id = crypto.randomUUID();

  constructor(scope: Scope, now: number) {
    this.#scope = scope;
    this.#at = now;
  }

  /** Makes a commit write what has been deleted so far, with that commit. */
  write(atomic: Deno.AtomicOperation, { deleted, anonymizedAuditEvents }: Tally): void {
    if (this.#scope.kind === "expired") return;
    const { kind, tenantId } = this.#scope;
    const erasure: Erasure = {
      event: `${kind}.erased`,
      at: toTimestamp(this.#at),
      deleted,
      anonymizedAuditEvents,
    };
    atomic.set(erasureKey(tenantId, this.#at, this.#id), erasure);
  }
}
