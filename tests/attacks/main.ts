/** `deno task test:attacks`: larger attacks on one service, and their effect. */
import { memoryOf } from "../support/memory.ts";
import { temporaryPath } from "../support/kv_file.ts";
import { startService } from "../support/service_process.ts";
import { ATTACKS } from "./attacks.ts";
import { measure } from "./measure.ts";

/** The number of repetitions of an attack, and by how much it is larger. */
const SCALE = Number(Deno.env.get("ATTACK_SCALE") ?? 4);
const MAX_LIVEZ_MS = 500;
/** Memory may grow by more than in the suite: more clients attack concurrently. */
const MARGIN = 2;
const HANGS_AFTER_MS = 600_000;

await using file = await temporaryPath();
await using service = await startService({
  kvPath: file.path,
  hangsAfterMs: HANGS_AFTER_MS,
});
const { pid } = service.child;
const started = memoryOf(pid, "VmRSS");
let peak = started;
let isWithin = true;
for (const { name, maxGrownMb, run } of ATTACKS) {
  const { grownMb, livezMs } = await measure(service, () => run(service, SCALE));
  peak = Math.max(peak, memoryOf(pid, "VmHWM"));
  const isGood = grownMb < MARGIN * maxGrownMb && livezMs < MAX_LIVEZ_MS;
  isWithin &&= isGood;
  console.log(
    `${isGood ? "ok    " : "FAILED"}  ${name}: at most ${Math.round(grownMb)} MB more ` +
      `(limit ${MARGIN * maxGrownMb}), /livez took up to ${Math.round(livezMs)} ms`,
  );
}
console.log(
  `\nPeak memory of the process over all attacks: ${Math.round(peak)} MB ` +
    `(${Math.round(started)} MB at the start)`,
);
await service.stop();
if (!isWithin) Deno.exitCode = 1;
