import { assertEquals } from "@std/assert";
import { openService } from "../service.ts";
import { assertProblem } from "./assert_problem.ts";

Deno.test("livez and readyz are 200 for anybody while the store answers", async () => {
  await using service = await openService();
  for (const [path, status] of [["/livez", "live"], ["/readyz", "ready"]] as const) {
    for (const token of [null, "rubbish"]) {
      const answer = await service.call(path, { token });
      assertEquals([answer.status, await answer.json()], [200, { status }]);
    }
  }
});

Deno.test("readyz is 503 where the store does not answer, and livez is 200 all the same", async () => {
  const kv = await Deno.openKv(":memory:");
  await using service = await openService({ kv });
  kv.close();
  const answer = await service.call("/readyz", { token: null });
  await assertProblem(answer, 503, "store-unavailable");
  assertEquals(answer.headers.get("Retry-After"), "5");
  assertEquals((await service.call("/livez", { token: null })).status, 200);
});
