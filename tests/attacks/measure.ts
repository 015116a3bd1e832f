import type { Service } from "../support/service_process.ts";

/** What an attack did to the service. */
export interface Effect {
  /** How much more memory it had at the most than before, in MB. */
  grownMb: number;
  /** The longest time that another client waited for `/livez`, in milliseconds. */
  livezMs: number;
}

/** Runs an attack, while a thread of its own asks for `/livez`. */
export async function measure(service: Service, attack: () => Promise<void>): Promise<Effect> {
  // What is loaded with the first requests is not the attack's.
  for (let i = 0; i < 20; i++) await service.submit();
  await service.latest();
  await (await fetch(`${service.url}/docs/swagger-ui-bundle.js`)).body?.cancel();
  const before = memoryOf(service.child.pid, "VmRSS");
  await resetPeak(service.child.pid);
  const probe = new Worker(new URL("./probe.ts", import.meta.url), { type: "module" });
  const answers = new Map<string, PromiseWithResolvers<number>>(
    ["ready", "done"].map((name) => [name, Promise.withResolvers<number>()]),
  );
  probe.onmessage = ({ data: { name, ms } }) => answers.get(name)?.resolve(ms);
  probe.postMessage(service.url);
  await answers.get("ready")!.promise;
  try {
    await attack();
    probe.postMessage("stop");
    const livezMs = await answers.get("done")!.promise;
    return { grownMb: memoryOf(service.child.pid, "VmHWM") - before, livezMs };
  } finally {
    probe.terminate();
  }
}

/** Resident memory of a process, now (`VmRSS`) or at its peak (`VmHWM`), in MB. */
export function memoryOf(pid: number, name: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
}

/** Makes the peak count from now on (proc(5), `clear_refs`). */
async function resetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
}
