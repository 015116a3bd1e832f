/** The machine on which a run measures. */
import { median } from "./statistics.ts";

const SYNCS = 200;
const SYNC_BYTES = 4096;
/** No disk is as fast as this: it is memory. */
const RAM_DISK_MS = 0.03;

export interface Machine {
  cores: number;
  processor: string;
  memoryBytes: number;
  system: string;
  deno: string;
  directory: string;
  fileSystem: string;
  /** The median duration of an fsync of 4 KiB, in milliseconds. */
  fsyncMs: number;
}

/** @throws {RamDiskError} */
export async function examine(directory: string): Promise<Machine> {
  const fsyncMs = await measureSync(directory);
  if (fsyncMs < RAM_DISK_MS) throw new RamDiskError(directory, fsyncMs);
  const { stdout } = await new Deno.Command("df", { args: ["--output=fstype", directory] })
    .output();
  const cpuinfo = await Deno.readTextFile("/proc/cpuinfo");
  return {
    cores: navigator.hardwareConcurrency,
    processor: /^model name\s*: (.*)$/m.exec(cpuinfo)?.[1] ?? "unknown",
    memoryBytes: Deno.systemMemoryInfo().total,
    system: `Linux ${Deno.osRelease()}`,
    deno: Deno.version.deno,
    directory,
    fileSystem: new TextDecoder().decode(stdout).trim().split("\n").at(-1)!,
    fsyncMs,
  };
}

export class RamDiskError extends Error {
  constructor(directory: string, fsyncMs: number) {
    super(
      `Cannot measure in ${directory}: it is a RAM disk (an fsync takes ${
        fsyncMs.toFixed(3)
      } ms), ` +
        "and a commit costs nothing there. Set BENCH_DIR to a directory on a disk",
    );
  }
}

async function measureSync(directory: string): Promise<number> {
  const path = `${directory}/sync`;
  using file = await Deno.open(path, { create: true, write: true });
  const bytes = new Uint8Array(SYNC_BYTES).fill(1);
  const times = Array.from({ length: SYNCS }, () => {
    file.writeSync(bytes);
    const started = performance.now();
    file.syncSync();
    return performance.now() - started;
  });
  await Deno.remove(path);
  return median(times);
}
