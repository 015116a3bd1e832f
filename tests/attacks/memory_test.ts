/** One hostile client costs the service little memory, and other clients little time. */
import { assertLess } from "@std/assert";
import { temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";
import { ATTACKS } from "./attacks.ts";
import { measure } from "./measure.ts";

/** The goal is half a second. The rest is slack for a machine that is busy with other tests. */
const MAX_LIVEZ_MS = 1_500;

for (const { name, maxGrownMb, run } of ATTACKS) {
  Deno.test({
    name: `${name} cost under ${maxGrownMb} MB and do not delay other clients`,
    // Memory is read from /proc.
    ignore: Deno.build.os !== "linux",
    fn: async () => {
      await using file = await temporaryPath();
      await using service = await startService({ kvPath: file.path });
      const { grownMb, livezMs } = await measure(service, () => run(service, 1));
      assertLess(grownMb, maxGrownMb);
      assertLess(livezMs, MAX_LIVEZ_MS);
    },
  });
}
