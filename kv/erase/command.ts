import type { Clock } from "../../domain/ports/clock.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import { kvErrorMessage } from "../client/error_message.ts";
import { openStore } from "../open/open_store.ts";
import { type KvLocation, type OpenedStore, OpenStoreError } from "../open/opened_store.ts";
import { Retention } from "../retention.ts";
import { Eraser } from "./eraser.ts";
import { EraseError, parseFlags } from "./flags.ts";
import { report } from "./report.ts";
import type { ErasureScope } from "./targets.ts";
import { vacuum } from "./vacuum.ts";

const OPEN_TIMEOUT_MS = 10_000;

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

async function erase(
  scope: ErasureScope,
  isConfirmed: boolean,
  command: EraseCommand,
): Promise<void> {
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
        "Deleted data remains in the server's database file until it is compacted: see config/deploy/README.md",
      );
    }
  } finally {
    store.close();
  }
}

async function open(location: KvLocation): Promise<OpenedStore> {
  if (location.kind === "file") {
    // Opening a missing file would create it, and there would be nothing to delete.
    const exists = await Deno.stat(location.path).then(({ isFile }) => isFile, () => false);
    if (!exists) throw new EraseError(`There is no KV file ${location.path}: check KV_PATH`);
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
