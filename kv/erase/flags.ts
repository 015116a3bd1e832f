import { parseArgs } from "node:util";
import { TenantId } from "../../domain/model/context.ts";
import { Actor } from "../../domain/model/support_request.ts";
import type { ErasureScope } from "./targets.ts";

const USAGE = `Usage: deno task erase --tenant <id> [--actor <id>] [--yes]
       deno task erase --expired [--yes]

  --tenant <id>   deletes all records of a tenant
  --actor <id>    deletes only what this person (the token's sub) submitted in the tenant
  --expired       deletes records of all tenants that are older than RETENTION_DAYS
  --yes           deletes; without it the command only counts

Reads the environment and .env as 'deno task start' does. If KV_PATH is a file, stop the service
first. A KV Connect server and the services that share it keep running.`;

/** An expected error. Its message says what the operator can do. */
export class EraseError extends Error {}

export interface EraseFlags {
  scope: ErasureScope;
  /** Whether to delete the records. Otherwise they are only counted. */
  isConfirmed: boolean;
}

/**
 * Parses the flags of `deno task erase`.
 *
 * @throws {EraseError} with the usage
 */
export function parseFlags(args: string[], retentionDays: number | null): EraseFlags {
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
    // `parseArgs` silently uses the last value only: the records of the others would not be deleted.
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
