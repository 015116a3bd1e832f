/** The floor with group commit: changes that arrive during a commit go into the next one together. */
import { bare, type Change, commitTogether, serve } from "./store.ts";

/** KV allows 100 checks in one commit. */
const MAX_CHANGES = 50;
const MAX_KEYS = 10_000;

let waiting: { change: Change; resolve(isStored: boolean): void }[] = [];
let isCommitting = false;
/** Taken keys, so that a retry does not make the commit of the others fail. */
const keys = new Set<string>();

/** Resolves with whether the checks of the change held. */
export async function commit(change: Change): Promise<boolean> {
  const key = change.checks[1]?.key.join();
  if (key !== undefined) {
    if (keys.has(key)) return false;
    if (keys.add(key).size > MAX_KEYS) keys.delete(keys.values().next().value!);
  }
  return await new Promise((resolve) => {
    waiting.push({ change, resolve });
    if (!isCommitting) commitWaiting();
  });
}

async function commitWaiting(): Promise<void> {
  isCommitting = true;
  while (waiting.length > 0) {
    const batch = waiting.slice(0, MAX_CHANGES);
    waiting = waiting.slice(MAX_CHANGES);
    const areStored = await commitTogether(...batch.map(({ change }) => change));
    for (const { change, resolve } of batch) resolve(areStored || await commitTogether(change));
  }
  isCommitting = false;
}

if (import.meta.main) serve(bare(commit));
