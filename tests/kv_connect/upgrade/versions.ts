/**
 * Two versions of Deskhand on one KV Connect server: this one, and a previous one, exported from the
 * repository's history or found in the folder that `PREVIOUS` names.
 */
import { assert } from "@std/assert";
import { type FakeDesk, startFakeDesk } from "../../demo/fake_desk.ts";
import { command, complete, ROOT } from "../../support/process.ts";
import { Service, spawnService, startService } from "../../support/service_process.ts";
import { waitFor } from "../../support/wait_for.ts";
import { HANGS_AFTER_MS, hurriedDeskEnv, isReady } from "../fleet.ts";
import { type KvServer, startKvServer } from "../server.ts";

/** The last commit of version 1. */
const VERSION_1 = "b9a8919f2c0552f7291b50d7ab3a0a1413e3c736";

export interface Versions extends AsyncDisposable {
  server: KvServer;
  desk: FakeDesk;
  old: Service;
  current: Service;
  /** Starts another process of the previous version, or of this one, which the caller ends. */
  startOld(): Promise<Service>;
  startCurrent(): Promise<Service>;
}

/** Starts a process of each version; resolves when both can store. */
export async function startVersions(env: Record<string, string> = {}): Promise<Versions> {
  await using starting = new AsyncDisposableStack();
  const folder = Deno.env.get("PREVIOUS") ?? await exportPrevious(starting);
  const server = starting.use(await startKvServer());
  const desk = starting.adopt(startFakeDesk(), (desk) => desk.close());
  const launch = {
    kvPath: server.url,
    env: { ...server.env, ...hurriedDeskEnv(desk), ...env },
    hangsAfterMs: HANGS_AFTER_MS,
  };
  const startCurrent = () => startService(launch);
  const startOld = async () => {
    const previous = ["run", `--config=${folder}/deno.json`, "-A", `${folder}/main.ts`];
    const { child, output } = spawnService({ ...launch, command: [Deno.execPath(), ...previous] });
    // Version 1 had no field `event`, so the line is found by its address.
    const lines = await waitFor(
      "the previous version listens",
      () => output.lines.filter(({ address }) => address !== undefined),
      (found) => found.length > 0,
    );
    return new Service(String(lines[0]!.address), child, output);
  };
  const old = starting.use(await startOld());
  const current = starting.use(await startCurrent());
  await Promise.all([old, current].map(isReady));
  const started = starting.move();
  const stop = () => started.disposeAsync();
  return { server, desk, old, current, startOld, startCurrent, [Symbol.asyncDispose]: stop };
}

async function exportPrevious(cleanup: AsyncDisposableStack): Promise<string> {
  const folder = await Deno.makeTempDir({ prefix: "deskhand-previous-" });
  cleanup.defer(() => Deno.remove(folder, { recursive: true }));
  const archive = `git -C "${ROOT.pathname}" archive ${VERSION_1} | tar --extract --directory "$0"`;
  const run = command({ command: ["bash", "-o", "pipefail", "-c", archive, folder] });
  const { code, stderr } = await complete(run);
  assert(
    code === 0,
    `${stderr}The history does not have the previous version (is the clone shallow?): ` +
      "set PREVIOUS to a folder with its code",
  );
  return folder;
}
