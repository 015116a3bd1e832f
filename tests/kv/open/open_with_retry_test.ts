import { assertEquals, assertRejects } from "@std/assert";
import { OpenStoreError } from "../../../kv/open/opened_store.ts";
import { openWithRetry } from "../../../kv/open/open_with_retry.ts";
import { captureLog } from "../../support/log.ts";
import { freePort } from "../../support/raw_server.ts";

Deno.test("openWithRetry tries every second until a server responds", async () => {
  const { log, lines } = captureLog();
  const waits: number[] = [];
  const wait = (milliseconds: number) => {
    waits.push(milliseconds);
    return waits.length < 3 ? Promise.resolve() : Promise.reject(new Error("enough"));
  };
  const location = { kind: "connect", url: `http://127.0.0.1:${freePort()}` } as const;
  await assertRejects(() => openWithRetry(location, { clock: { wait }, log }), Error, "enough");
  assertEquals(waits, [1_000, 1_000, 1_000]);
  assertEquals(lines.map(({ event }) => event), Array(3).fill("store_open_failed"));
});

Deno.test("openWithRetry does not retry a file that cannot be opened", async () => {
  const { log, lines } = captureLog();
  const clock = { wait: () => Promise.reject(new Error("it retried")) };
  const location = { kind: "file", path: "/no/such/folder/deskhand.kv" } as const;
  await assertRejects(() => openWithRetry(location, { clock, log }), OpenStoreError);
  assertEquals(lines, []);
});
