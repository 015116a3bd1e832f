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
  --actor <id>    only what this person (the token's sub) submitted in the tenant
  --expired       deletes what is older than RETENTION_DAYS, of all tenants
  --yes           deletes; without it the command only counts

Reads the environment and .env as 'deno task start' does. Stop the service first if KV_PATH is a
file; a KV Connect server and the services that share it keep running.`;

const OPEN_TIMEOUT_MS = 10_000;

/** What is wrong with the call or the store, as a sentence for the operator. */
class EraseError extends Error {}

export interface EraseCommand {
  location: KvLocation;
  /** Null if everything is kept. */
  retentionDays: number | null;
  clock: Pick<Clock, "now" | "wait">;
  print(line: string): void;
  printError(line: string): void;
}

/** Runs `deno task erase` with these arguments. Resolves with the exit code. */
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
        `${error.message}. What has been deleted stays deleted: run the same command again`,
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
      throw new EraseError(`--expired is for all tenants and actors\n\n${USAGE}`);
    }
    if (retentionDays === null) {
      throw new EraseError("--expired needs RETENTION_DAYS: without it everything is kept");
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
    // `parseArgs` takes the last value, and would leave the others undeleted without a word.
    for (const name of ["tenant", "actor"]) {
      const given = tokens.filter((token) => token.kind === "option" && token.name === name);
      if (given.length > 1) throw new Error(`--${name} can be given only once: run it for each`);
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
      print("Deleted text stays in the server's database file until that is compacted: see README");
    }
  } finally {
    store.close();
  }
}

async function open(location: KvLocation) {
  if (location.kind === "file") {
    // Opening would make one, and find nothing to delete.
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
  print(isConfirmed ? `Deleted, of ${nameOf(scope)}:` : `Would delete, of ${nameOf(scope)}:`);
  const counts: [number, string][] = [
    [deleted.supportRequests, "support requests"],
    [deleted.auditEvents, "audit events"],
    [deleted.idempotencyKeys, "idempotency keys"],
    [deleted.leases, "leases"],
    [deleted.rateCounters, "rate counters"],
  ];
  if (anonymizedAuditEvents > 0) {
    counts.push([anonymizedAuditEvents, "audit events of other requests: the actor in them only"]);
  }
  for (const [count, what] of counts) print(`${String(count).padStart(9)}  ${what}`);
  if (tickets.size > 0) print(`Tickets at the desk, which stay there: ${list(tickets)}`);
  if (doubtful.size > 0) print(`Search the desk for tickets of: ${list(doubtful)}`);
  if (unreadable > 0) print(`${unreadable} records cannot be read, belong to nobody, and stay`);
  if (!isConfirmed) print("Nothing was deleted. Add --yes to delete it");
}

function nameOf(scope: Scope): string {
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
    print(`Compacted ${path}: what was deleted is no longer in the file`);
  } catch (error) {
    throw new EraseError(
      `Everything was deleted, but ${path} could not be compacted: ${
        kvErrorMessage(error)
      }. Deleted ` +
        "text can still be in its unused pages. Make room for a second copy of it, and run the " +
        "same command again with 'deno task erase', which has the permissions that SQLite needs",
    );
  }
}
