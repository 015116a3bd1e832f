/** The version is written in deno.json, and repeated where other tools look for it. */
import { assertEquals, assertMatch } from "@std/assert";
import manifest from "../../deno.json" with { type: "json" };
import { VERSION } from "../../config/version.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";

Deno.test("the code, the production configuration and the image have the version in deno.json", async () => {
  assertMatch(manifest.version, /^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/);
  assertEquals(VERSION, manifest.version);
  const dockerfile = await Deno.readTextFile(new URL("../../Dockerfile", import.meta.url));
  const label = /org\.opencontainers\.image\.version="([^"]+)"/.exec(dockerfile)?.[1];
  assertEquals(label, manifest.version);
});

Deno.test("/livez, the OpenAPI document and the log of a start show the version", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const health = await service.call("/livez");
  const document = await service.call<{ info: { version: string } }>("/openapi.json");
  const started = await service.output.line("listening");
  const shown = [health.body.version, document.body.info.version, started.version];
  assertEquals(shown, [manifest.version, manifest.version, manifest.version]);
});
