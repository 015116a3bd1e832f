import { assertEquals, assertLess } from "@std/assert";
import { TENANT } from "../support/constants.ts";
import { startIssuer } from "../support/issuer.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";

/** In KiB. */
const MEGABYTE = 1024;

/** The resident memory of a process in KiB: now, and its peak. */
async function memoryOf(pid: number) {
  const text = await Deno.readTextFile(`/proc/${pid}/status`);
  const read = (name: string) => Number(new RegExp(`^${name}:\\s*(\\d+) kB`, "m").exec(text)![1]);
  return { now: read("VmRSS"), peak: read("VmHWM") };
}

/** Endless, in chunks of 64 KiB or of one byte. */
const BODIES: [name: string, bytes: number][] = [["in large chunks", 65_536], [
  "in single bytes",
  1,
]];

for (const [name, bytes] of BODIES) {
  Deno.test({
    name: `a key set that never ends, ${name}, costs the process less than 60 MB`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using issuer = startIssuer();
      const { sign } = await issuer.addKey("k-1");
      await using file = await temporaryPath();
      await using service = await startService({ kvPath: file.path, env: issuer.env });
      const call = async (kid = "k-1") => {
        const headers = { Authorization: `Bearer ${await sign({ kid })}` };
        const response = await fetch(`${service.url}${TENANT}/latest`, { headers });
        await response.body?.cancel();
        return response.status;
      };
      // The first token loads the code that verifies tokens.
      assertEquals(await call(), 200);
      const before = await memoryOf(service.child.pid);
      issuer.respond((signal) => {
        const chunk = new Uint8Array(bytes).fill(32);
        return new Response(
          new ReadableStream({
            pull: (controller) => signal.aborted ? controller.close() : controller.enqueue(chunk),
          }),
        );
      });
      // An unknown key makes the service fetch the set again, once three seconds have passed.
      const callAll = () =>
        Promise.all(Array.from({ length: 20 }, () => call(crypto.randomUUID())));
      await waitFor(
        "every call is 503",
        callAll,
        (statuses) => statuses.every((status) => status === 503),
      );
      assertEquals(issuer.fetches(), 2);
      const { peak } = await memoryOf(service.child.pid);
      assertLess(peak - before.now, 60 * MEGABYTE);
    },
  });
}
