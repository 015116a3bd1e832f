import { parseArgs } from "node:util";
import { TenantId } from "../../domain/model/context.ts";
import type { Clock } from "../../domain/ports/clock.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { Actor } from "../../domain/model/support_request.ts";
import { Eraser } from "./eraser.ts";
import { kvErrorMessage } from "../client/error_message.ts";
import { type KvLocation, openStore, OpenStoreError } from "../client/open.ts";
import { Retention } from "../retention.ts";
import type { Tally } from "./tally.ts";
import type { Scope } from "./targets.ts";
import { vacuum } from "./vacuum.ts";

const USAGE = `Usage: deno task erase --tenant <id> [--actor <id>] [--yes]
       deno task erase --expired [--yes]

  --tenant <id>   deletes all records of a tenant
  --actor <id>    deletes only what this person (the token's sub) submitted in the tenant
  --expired       deletes records of all tenants that are older than RETENTION_DAYS
  --yes           deletes; without it the command only counts

Reads the environment and .env as 'deno task start' does. If KV_PATH is a file, stop the service
first. A KV Connect server and the services that share it keep running.`;

const OPEN_TIMEOUT_MS = 10_000;

/** An expected error. Its message tells the operator what to do. */
class EraseError extends Error {}

export interface EraseCommand {
  location: KvLocation;
  /** Null disables expiry. */
  retentionDays: number | null;
  clock: Pick<Clock, "now" | "wait">;
  print(line: string): void;
  printError(line: string): void;
}

/** Runs `deno task erase` with these arguments and resolves with the exit code. */
export async function runErase(args: string[], command: EraseCommand): Promise<number> {
  try {
    const { scope, isConfirmed } = parseFlags(args, command.retentionDays);
    await erase(scope, isConfirmed, command);
    return 0;
  } catch (error) {
    if (error instanceof EraseError || error instanceof OpenStoreError) {
      command.printError(error.message);
    } else if (error instanceof StoreUnavailableError) {
      command.printError(
        `${error.message}. Run the same command again to delete the remaining records`,
      );
    } else {
      throw error;
    }
    return 1;
  }
}

function parseFlags(
  args: string[],
  retentionDays: number | null,
): { scope: Scope; isConfirmed: boolean } {
  const { tenant, actor, expired, yes } = parse(args);
  if (expired) {
    if (tenant !== undefined || actor !== undefined) {
      throw new EraseError(`--expired cannot be combined with --tenant or --actor\n\n${USAGE}`);
    }
    if (retentionDays === null) {
      throw new EraseError("--expired requires RETENTION_DAYS: without it, nothing expires");
    }
    return { scope: { kind: "expired" }, isConfirmed: yes };
  }
  if (tenant === undefined) throw new EraseError(USAGE);
  const tenantId = check("--tenant", TenantId, tenant);
  if (actor === undefined) return { scope: { kind: "tenant", tenantId }, isConfirmed: yes };
  const actorId = check("--actor", Actor.shape.id, actor);
  return { scope: { kind: "actor", tenantId, actorId }, isConfirmed: yes };
}

function parse(args: string[]) {
  try {
    const { values, tokens } = parseArgs({
      args,
      options: {
        tenant: { type: "string" },
        actor: { type: "string" },
        expired: { type: "boolean", default: false },
        yes: { type: "boolean", default: false },
      },
      tokens: true,
    });
    // `parseArgs` uses the last value only: the others would not be deleted, without an error.
    for (const name of ["tenant", "actor"]) {
      const given = tokens.filter((token) => token.kind === "option" && token.name === name);
      if (given.length > 1) {
        throw new Error(`--${name} can be given only once: run the command for each`);
      }
    }
    return values;
  } catch (error) {
    throw new EraseError(`${(error as Error).message}\n\n${USAGE}`);
  }
}

interface IdSchema {
  safeParse(value: string): { data?: string; error?: { issues: { message: string }[] } };
}

function check(flag: string, schema: IdSchema, value: string): string {
  const { data, error } = schema.safeParse(value);
  if (data === undefined) throw new EraseError(`${flag} ${error!.issues[0]!.message}`);
  return data;
}

async function erase(scope: Scope, isConfirmed: boolean, command: EraseCommand): Promise<void> {
  const { location, retentionDays, clock, print } = command;
  const store = await open(location);
  try {
    const retention = new Retention(retentionDays);
    const isExclusive = location.kind === "file";
    const eraser = new Eraser(store.kv, { clock, retention, isExclusive });
    const tally = isConfirmed ? await eraser.erase(scope) : await eraser.find(scope);
    report(scope, tally, isConfirmed, print);
    if (isConfirmed && location.kind === "file") compact(location.path, print);
    if (isConfirmed && !isExclusive) {
      print(
        "Deleted data remains in the server's database file until it is compacted: see kv/README.md",
      );
    }
  } finally {
    store.close();
  }
}

async function open(location: KvLocation) {
  if (location.kind === "file") {
    // Opening a missing file would create it, and there would be nothing to delete.
    const isThere = await Deno.stat(location.path).then(({ isFile }) => isFile, () => false);
    if (!isThere) throw new EraseError(`There is no KV file ${location.path}: check KV_PATH`);
  }
  try {
    return await openStore(location, OPEN_TIMEOUT_MS);
  } catch (error) {
    if (error instanceof OpenStoreError) throw error;
    throw new EraseError(
      `Cannot open KV: ${
        kvErrorMessage(error)
      }. Check that the server at KV_PATH is running and that ` +
        "DENO_KV_ACCESS_TOKEN is its token",
    );
  }
}

function report(
  scope: Scope,
  tally: Tally,
  isConfirmed: boolean,
  print: EraseCommand["print"],
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

function scopeLabel(scope: Scope): string {
  if (scope.kind === "expired") return "all tenants, older than RETENTION_DAYS";
  const tenant = `tenant ${scope.tenantId}`;
  return scope.kind === "actor" ? `actor ${scope.actorId} in ${tenant}` : tenant;
}

function list(texts: Set<string>): string {
  return [...texts].join(", ");
}

function compact(path: string, print: EraseCommand["print"]): void {
  try {
    vacuum(path);
    print(`Compacted ${path}: deleted data is no longer in the file`);
  } catch (error) {
    throw new EraseError(
      `All records were deleted, but ${path} could not be compacted: ${
        kvErrorMessage(error)
      }. Deleted ` +
        "data may remain in its unused pages. Free enough disk space for a second copy of the file, " +
        "then run the same command again with 'deno task erase', which grants the permissions that " +
        "SQLite needs",
    );
  }
}
