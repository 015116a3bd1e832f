import type { Erasure } from "../../domain/model/audit.ts";
import { toTimestamp } from "../../domain/model/handoff.ts";
import { erasureKey } from "../keys.ts";
import type { Tally } from "./tally.ts";
import type { ErasureScope } from "./targets.ts";

/**
 * The record of one erasure. The scope `expired` has none, just as KV leaves no trace of the records
 * that it removes when they expire.
 */
export class ErasureRecord {
  #scope: ErasureScope;
  #at: number;
  #id = crypto.randomUUID();

  constructor(scope: ErasureScope, now: number) {
    this.#scope = scope;
    this.#at = now;
  }

  /** Adds the record to a commit. `tally` includes what that commit deletes. */
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
