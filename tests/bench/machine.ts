/** The machine on which a run measures. */
import { median } from "./statistics.ts";

const SYNCS = 200;
/** No disk is as fast as this: it is memory. */
const RAM_DISK_MS = 0.03;

export interface Machine {
  cores: number;
  processor: string;
  system: string;
  deno: string;
  /** The median duration of an fsync of 4 KiB, in milliseconds. */
  fsyncMs: number;
  /** Whether the directory is in memory, where a commit costs nothing. */
  isRamDisk: boolean;
}

/** Examines the machine and the disk of a directory. */
export async function examine(directory: string): Promise<Machine> {
  const fsyncMs = await measureSync(`${directory}/sync`);
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo");
  return {
    cores: navigator.hardwareConcurrency,
    processor: /^model name\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? "unknown",
    system: `Linux ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    fsyncMs: Number(fsyncMs.toPrecision(2)),
    isRamDisk: fsyncMs < RAM_DISK_MS,
  };
}

async function measureSync(path: string): Promise<number> {
  using file = await Deno.open(path, { create: true, write: true });
  const bytes = new Uint8Array(4096).fill(1);
  const times = Array.from({ length: SYNCS }, () => {
    file.writeSync(bytes);
    const started = performance.now();
    file.syncSync();
    return performance.now() - started;
  });
  await Deno.remove(path);
  return median(times);
}
