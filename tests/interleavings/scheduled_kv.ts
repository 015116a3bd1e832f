import { wrapKv } from "../support/wrap_kv.ts";
import type { CommitPlan } from "./plan.ts";
import type { Turns } from "./turns.ts";

export interface ScheduledKvOptions {
  turns: Turns;
  /** Whether KV is a server, which applies a commit although its sender died after sending it. */
  isRemote: boolean;
  nextCommit(): CommitPlan;
}

/**
 * A real KV each of whose calls starts and completes in its turn. That is finer than a call of the
 * store, which may read before it commits.
 */
export function scheduledKv(kv: Deno.Kv, options: ScheduledKvOptions): Deno.Kv {
  const { turns, isRemote, nextCommit } = options;

  async function call<T>(name: string, act: () => Promise<T>, sent = false): Promise<T> {
    const result = await turns.step(name, act, { sent });
    await turns.step(`${name} completes`, () => {});
    return result;
  }

  return wrapKv(kv, {
    onRead: (read, { method, keys }) => call(`${method} ${keys[0]?.[0]?.toString()}`, read),
    onCommit(commit, { checks }) {
      const name = `commit${checks.map(({ key }) => ` ${key[0]!.toString()}`)}`;
      return call(name, async () => {
        const plan = nextCommit();
        if (plan === "rejected") throw new Error("disk full");
        if (plan === "sent twice") await commit();
        const result = await commit();
        if (plan === "applied without a response") throw new Error("no response");
        return result;
      }, isRemote);
    },
  });
}
