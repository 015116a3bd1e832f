import { memoryOf } from "../support/memory.ts";
import { within } from "../support/wait_for.ts";
import type { Service } from "../support/service_process.ts";

/** The effect of an attack on the service. */
export interface Effect {
  /** By how much its memory grew at most, in MB. */
  grownMb: number;
  /** The longest time that another client waited for `/livez`, in milliseconds. */
  livezMs: number;
}

/** What another client experienced, in milliseconds, in the order of its calls. */
export interface Probe {
  /** How long each call of `/livez` took. */
  durations: number[];
  /** By how much the machine delayed the client after each call. */
  delays: number[];
}

/** Runs an attack on a service that has loaded all of its code, while another thread probes it. */
export async function measure(service: Service, attack: () => Promise<void>): Promise<Effect> {
  // The first requests load code whose memory is not the attack's.
  for (let i = 0; i < 20; i++) await service.submit();
  await service.latest();
  await (await fetch(`${service.url}/docs/swagger-ui-bundle.js`)).body?.cancel();
  const before = memoryOf(service.child.pid, "VmRSS");
  await resetPeak(service.child.pid);
  const { durations } = await probeDuring(service.url, attack);
  return {
    grownMb: memoryOf(service.child.pid, "VmHWM") - before,
    livezMs: Math.max(0, ...durations),
  };
}

/** Runs an attack while another thread calls `/livez`. */
export async function probeDuring(url: string, attack: () => Promise<unknown>): Promise<Probe> {
  const probe = new Worker(new URL("./probe.ts", import.meta.url), { type: "module" });
  const ready = Promise.withResolvers<void>();
  const done = Promise.withResolvers<Probe>();
  probe.onmessage = ({ data }) => data.name === "ready" ? ready.resolve() : done.resolve(data);
  probe.postMessage(url);
  try {
    await within("the probe is ready", ready.promise);
    await attack();
    probe.postMessage("stop");
    return await within("the probe is done", done.promise, 40_000);
  } finally {
    probe.terminate();
  }
}

/** Resets the peak to the present value (proc(5), `clear_refs`). */
async function resetPeak(pid: number): Promise<void> {
  await Deno.writeTextFile(`/proc/${pid}/clear_refs`, "5");
}
