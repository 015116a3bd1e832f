import type { Tally } from "./tally.ts";
import type { ErasureScope } from "./targets.ts";

/** Prints what an erasure has deleted, or would delete. */
export function report(
  scope: ErasureScope,
  tally: Tally,
  isConfirmed: boolean,
  print: (line: string) => void,
): void {
  const { deleted, anonymizedAuditEvents, tickets, doubtful, unreadable } = tally;
  print(`${isConfirmed ? "Deleted" : "Would delete"} for ${scopeLabel(scope)}:`);
  const counts: [number, string][] = [
    [deleted.supportRequests, "support requests"],
    [deleted.auditEvents, "audit events"],
    [deleted.idempotencyKeys, "idempotency keys"],
    [deleted.leases, "leases"],
    [deleted.rateCounters, "rate counters"],
  ];
  if (anonymizedAuditEvents > 0) {
    counts.push([
      anonymizedAuditEvents,
      "audit events of other requests, of which only the actor is erased",
    ]);
  }
  for (const [count, what] of counts) print(`${String(count).padStart(9)}  ${what}`);
  if (tickets.size > 0) print(`Tickets at the desk, which are not deleted: ${list(tickets)}`);
  if (doubtful.size > 0) {
    print(`Search the desk for tickets with these references: ${list(doubtful)}`);
  }
  if (unreadable > 0) {
    print(
      `${unreadable} records do not parse and are not deleted, because their owner is unknown`,
    );
  }
  if (!isConfirmed) print("Nothing was deleted. Add --yes to delete these records");
}

function scopeLabel(scope: ErasureScope): string {
  if (scope.kind === "expired") return "all tenants, older than RETENTION_DAYS";
  const tenant = `tenant ${scope.tenantId}`;
  return scope.kind === "actor" ? `actor ${scope.actorId} in ${tenant}` : tenant;
}

/** Returns ticket numbers in ascending order, or references, which all have one length, by age. */
function list(texts: Set<string>): string {
  return [...texts].sort((a, b) => a.length - b.length || (a < b ? -1 : 1)).join(", ");
}
