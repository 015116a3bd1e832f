import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { openStore } from "../../../kv/open/open_store.ts";
import { OpenStoreError } from "../../../kv/open/opened_store.ts";
import { temporaryPath } from "../../support/kv_file.ts";

const OPEN = new URL("../../../kv/open/open_store.ts", import.meta.url).href;

/** Starts another process that opens the store, prints the result, and exits when its input ends. */
function openElsewhere(path: string) {
  const code = `
    const { openStore } = await import(${JSON.stringify(OPEN)});
    try {
      await openStore({ kind: "file", path: ${JSON.stringify(path)} });
      console.log("opened");
    } catch (error) {
      console.log(error.message);
      Deno.exit();
    }
    await Array.fromAsync(Deno.stdin.readable);
    Deno.exit();`;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--unstable-kv", code],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const said = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  return {
    said: async () => (await said.read()).value?.trim(),
    kill: () => child.kill("SIGKILL"),
    end: async () => {
      await child.stdin.close();
      await said.cancel();
      return await child.status;
    },
  };
}

Deno.test("openStore rejects a file that another process has open", async () => {
  await using file = await temporaryPath();
  const other = openElsewhere(file.path);
  assertEquals(await other.said(), "opened");
  const error = await assertRejects(
    () => openStore({ kind: "file", path: file.path }),
    OpenStoreError,
  );
  assertMatch(error.message, /another process has it open, and only one may write it/);
  assertMatch(error.message, /Stop that process, or set another KV_PATH/);
  assertStringIncludes(error.message, file.path);
  await other.end();
});

Deno.test("openStore rejects a symbolic link, and says what to do", async () => {
  await using file = await temporaryPath();
  const store = await openStore({ kind: "file", path: file.path });
  const link = `${file.path}-link.kv`;
  await Deno.symlink(file.path, link);
  const error = await assertRejects(
    () => openStore({ kind: "file", path: link }),
    OpenStoreError,
    "it is a symbolic link. Set KV_PATH to the file itself",
  );
  assertStringIncludes(error.message, link);
  store.close();
});

Deno.test("openStore excludes other processes until it is closed", async () => {
  await using file = await temporaryPath();
  const store = await openStore({ kind: "file", path: file.path });
  await store.kv.set(["a"], 1);
  const rejected = openElsewhere(file.path);
  assertMatch((await rejected.said())!, /another process has it open/);
  await rejected.end();
  store.close();
  const admitted = openElsewhere(file.path);
  assertEquals(await admitted.said(), "opened");
  await admitted.end();
});

Deno.test("openStore opens the file of a killed process with all its records", async () => {
  await using file = await temporaryPath();
  const first = await openStore({ kind: "file", path: file.path });
  await first.kv.set(["a"], 1);
  first.close();
  const killed = openElsewhere(file.path);
  assertEquals(await killed.said(), "opened");
  killed.kill();
  await killed.end();
  const store = await openStore({ kind: "file", path: file.path });
  assertEquals((await store.kv.get(["a"])).value, 1);
  store.close();
});

Deno.test("openStore says what is wrong with a path", async () => {
  await using file = await temporaryPath();
  await Deno.mkdir(file.path);
  const noDatabase = `${file.path}/text`;
  await Deno.writeTextFile(noDatabase, "This is no database. ".repeat(100));
  for (const path of [`${file.path}/no/such/folder`, file.path, noDatabase]) {
    const error = await assertRejects(() => openStore({ kind: "file", path }), OpenStoreError);
    assertStringIncludes(error.message, `Cannot open the KV file ${path}: `);
    assertStringIncludes(error.message, "Check that KV_PATH names a file in a folder that exists");
  }
});

Deno.test("a failed openStore releases the file", async () => {
  await using file = await temporaryPath();
  await Deno.writeTextFile(file.path, "This is no database. ".repeat(100));
  await assertRejects(() => openStore({ kind: "file", path: file.path }), OpenStoreError);
  await Deno.remove(file.path);
  (await openStore({ kind: "file", path: file.path })).close();
});
