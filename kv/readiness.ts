import type { Clock } from "../domain/ports.ts";
import { call, type KvHandle } from "./call.ts";

const DEADLINE_MS = 1_000;
/** Anybody may ask, so asking often must not mean writing often. */
const FRESH_MS = 1_000;

/**
 * Whether KV takes a write within a second. A read would not tell: a locked or full database still
 * answers reads.
 */
export function createReadiness(kv: KvHandle, clock: Pick<Clock, "elapsed">) {
  let probe: { at: number; isReady: Promise<boolean> } | null = null;
  return (): Promise<boolean> => {
    const at = clock.elapsed();
    if (probe === null || at - probe.at >= FRESH_MS) {
      const isReady = call(kv, (kv) => kv.set(["ready"], at), DEADLINE_MS)
        .then(() => true, () => false);
      probe = { at, isReady };
    }
    return probe.isReady;
  };
}
