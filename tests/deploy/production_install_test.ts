import { assert, assertEquals } from "@std/assert";
import { temporaryPath } from "../support/kv_file.ts";
import { registryEnv } from "../support/process.ts";
import { startService } from "../support/service_process.ts";

const MAX_BYTES = 25_000_000;

/** The sizes of the files below a folder. */
async function* sizes(folder: string): AsyncGenerator<number> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = `${folder}/${name}`;
    if (isDirectory) yield* sizes(path);
    else yield (await Deno.stat(path)).size;
  }
}

const START = [Deno.execPath(), "task", "start"];

Deno.test("a first start installs less than 25 MB, and no package of the tests", async () => {
  const cache = await Deno.makeTempDir({ prefix: "deno-dir-" });
  try {
    await using file = await temporaryPath();
    const env = { ...registryEnv(), DENO_DIR: cache };
    const service = await startService({ kvPath: file.path, env, command: START });
    try {
      assertEquals((await service.submit()).status, 201);
    } finally {
      await service.stop(); // by SIGTERM, which reaches the process that the task started
    }
    const registry = (await Array.fromAsync(Deno.readDir(`${cache}/npm`)))[0]!.name;
    const packages = await Array.fromAsync(Deno.readDir(`${cache}/npm/${registry}`));
    const names = packages.map(({ name }) => name);
    assertEquals(names.sort(), [
      "@opentelemetry",
      "@scarf",
      "hono",
      "jose",
      "swagger-ui-dist",
      "zod",
    ]);
    const bytes = (await Array.fromAsync(sizes(`${cache}/npm`))).reduce(
      (sum, size) => sum + size,
      0,
    );
    console.log(`installed ${(bytes / 1e6).toFixed(1)} MB`);
    assert(bytes < MAX_BYTES, `${bytes} bytes`);
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
});
