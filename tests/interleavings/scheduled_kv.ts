import type { CommitPlan } from "./plan.ts";
import type { Turns } from "./turns.ts";

export interface ScheduledKvOptions {
  turns: Turns;
  /** Whether KV is a server, where a commit lands although its sender died after sending it. */
  isRemote: boolean;
  nextCommit(): CommitPlan;
}

/**
 * A real KV, each call of which begins and answers in its turn. Finer than the store's own calls,
 * several of which look before they commit.
 */
export function scheduledKv(kv: Deno.Kv, options: ScheduledKvOptions): Deno.Kv {
  const { turns, isRemote, nextCommit } = options;

  async function call<T>(name: string, act: () => Promise<T>, sent = false): Promise<T> {
    const answer = await turns.step(name, act, { sent });
    await turns.step(`${name} answers`, () => {});
    return answer;
  }

  function atomic(): Deno.AtomicOperation {
    const operation = kv.atomic();
    const commit = operation.commit.bind(operation);
    let name = "commit";
    const check = operation.check.bind(operation);
    operation.check = (...checks) => {
      name += checks.map(({ key }) => ` ${key[0]!.toString()}`);
      return check(...checks);
    };
    operation.commit = () =>
      call(name, async () => {
        const plan = nextCommit();
        if (plan === "refused") throw new Error("disk full");
        if (plan === "sent twice") await commit();
        const result = await commit();
        if (plan === "lands unanswered") throw new Error("no answer");
        return result;
      }, isRemote);
    return operation;
  }

  async function* list(selector: Deno.KvListSelector, options?: Deno.KvListOptions) {
    yield* await call("list", () => Array.fromAsync(kv.list(selector, options)));
  }

  const get = (key: Deno.KvKey) => call(`get ${key[0]!.toString()}`, () => kv.get(key));
  const getMany = (keys: Deno.KvKey[]) => call("getMany", () => kv.getMany(keys));
  // As much of KV as the store uses for requests.
  return { get, getMany, list, atomic } as unknown as Deno.Kv;
}
