/** Resident memory of a process, now (`VmRSS`) or at its peak (`VmHWM`), in MB. */
export function memoryOf(pid: number, name: "VmRSS" | "VmHWM"): number {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  return Number(new RegExp(`${name}:\\s+(\\d+) kB`).exec(status)![1]) / 1024;
}
