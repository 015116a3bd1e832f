import { assertEquals } from "@std/assert";
import { openStore } from "../../../kv/open/open_store.ts";
import { temporaryPath } from "../../support/kv_file.ts";
import { startService } from "../../support/service_process.ts";

const NAMES = ["", "-wal", "-shm", ".lock"];

/** Returns the permissions of the file and of those companions that exist. */
async function modes(path: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of NAMES) {
    const info = await Deno.stat(`${path}${name}`).catch(() => null);
    if (info !== null) found[name] = (info.mode! & 0o777).toString(8);
  }
  return found;
}

const PRIVATE = Object.fromEntries(NAMES.map((name) => [name, "600"]));

/** Runs a function with the umask that most systems have. */
async function underUsualUmask(run: () => Promise<void>): Promise<void> {
  const before = Deno.umask(0o022);
  try {
    await run();
  } finally {
    Deno.umask(before);
  }
}

Deno.test("openStore creates a file and companions that only their owner can read", async () => {
  await using file = await temporaryPath();
  await underUsualUmask(async () => {
    const store = await openStore({ kind: "file", path: file.path });
    await store.kv.set(["a"], 1);
    assertEquals(await modes(file.path), PRIVATE);
    store.close();
  });
});

Deno.test("openStore restricts files of version 1 that others can read", async () => {
  await using file = await temporaryPath();
  await underUsualUmask(async () => {
    await Deno.writeTextFile(`${file.path}.lock`, "");
    // The process is killed, so that the companions remain.
    const code = `const kv = await Deno.openKv(${JSON.stringify(file.path)});
      await kv.set(["a"], 1);
      Deno.kill(Deno.pid, "SIGKILL");`;
    await new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-config", "--unstable-kv", code],
    }).output();
    assertEquals(new Set(Object.values(await modes(file.path))), new Set(["644"]));
    const store = await openStore({ kind: "file", path: file.path });
    assertEquals((await store.kv.get(["a"])).value, 1);
    assertEquals(await modes(file.path), PRIVATE);
    store.close();
  });
});

Deno.test("openStore preserves the permissions of the group", async () => {
  await using file = await temporaryPath();
  (await openStore({ kind: "file", path: file.path })).close();
  await Deno.chmod(file.path, 0o640);
  const store = await openStore({ kind: "file", path: file.path });
  await store.kv.set(["a"], 1);
  assertEquals((await modes(file.path))[""], "640");
  store.close();
});

Deno.test("the task serve may restrict its files to their owner", async () => {
  await using file = await temporaryPath();
  await Deno.writeTextFile(`${file.path}.lock`, "");
  await Deno.chmod(`${file.path}.lock`, 0o644);
  await using service = await startService({ kvPath: file.path, before: "umask 022" });
  await service.submit();
  assertEquals(await modes(file.path), PRIVATE);
});
