import { assertEquals, assertLess, assertNotEquals } from "@std/assert";
import { hashKey } from "../../../kv/client/key_hash.ts";

Deno.test("equal keys have equal hashes, and different ones hardly ever", () => {
  const keys: Deno.KvKey[] = [];
  for (let i = 0; i < 10_000; i++) {
    keys.push(["idempotency", "acme", "u-1", `k-${i}`], [
      "tenant",
      "acme",
      1_750_000_000_000_000 + i,
    ]);
  }
  for (const key of keys) assertEquals(hashKey(key), hashKey([...key]));
  // Of 20,000 random hashes of 32 bits, 0.05 pairs are equal.
  assertLess(keys.length - new Set(keys.map(hashKey)).size, 5);
});

Deno.test("the hash of a key depends on where its parts end", () => {
  assertNotEquals(hashKey(["ab", "c"]), hashKey(["a", "bc"]));
  assertNotEquals(hashKey(["a", "b"]), hashKey(["ab"]));
  assertNotEquals(hashKey(["b", "a"]), hashKey(["a", "b"]));
});
