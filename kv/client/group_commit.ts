import type { Clock } from "../../domain/ports/clock.ts";
import { StoreUnavailableError } from "../../domain/ports/store.ts";
import {
  call,
  CALL_TIMEOUT_MS,
  commit,
  hasAbandonedCalls,
  type KvHandle,
  timeoutError,
} from "./call.ts";
import {
  type Change,
  type CommitSize,
  estimateSize,
  findOwnVersionstamp,
  fits,
  keyId,
  KV_LIMITS,
} from "./change.ts";
import { MAX_GET_MANY_KEYS } from "../keys.ts";

export type CommitResult =
  | { ok: true; versionstamp: string }
  /** Nothing was written, because of these checks. */
  | { ok: false; failed: Deno.AtomicCheck[] };

export interface GroupCommitOptions {
  clock: Pick<Clock, "elapsed">;
  /** Checks that one commit may have. */
  maxChecks: number;
  /** Commits that may be under way at once. */
  maxInFlight: number;
}

/** For a local file: two commits at once would wait for each other. */
export const FILE_COMMIT_LIMITS = { maxChecks: 100, maxInFlight: 1 };
/**
 * For a server. A self-hosted one (`denokv`) refuses more than ten checks. Its answer takes a round
 * trip, so that a commit does not wait for the one before it: with 64 at once it took 1.5 times as
 * many submissions a second as with 16, and with one at a time hardly any.
 */
export const SERVER_COMMIT_LIMITS = { maxChecks: 10, maxInFlight: 64 };

/**
 * Of more than so many, a commit takes no more than half of all that are about: waiting, or in the
 * commit before. Without, a first one alone and then all the others take turns, and the thread and
 * the store wait for each other.
 */
const SPLIT_THRESHOLD = 16;

/** How often a change is tried whose check fails, and passes when it is looked at. */
const MAX_ATTEMPTS = 10;

/** One change on its way, and whoever waits for it. */
interface PendingChange {
  change: Change;
  size: ReturnType<typeof estimateSize>;
  /** The keys that it writes. */
  names: string[];
  since: number;
  result: PromiseWithResolvers<CommitResult>;
  /** Whether whoever asked has been told that the store is unavailable. */
  hasTimedOut: boolean;
}

/**
 * Commits changes, those together that arrive while a commit is under way: each commit of a local
 * file is one fsync, and KV groups none of its own. A change never waits for company, is answered
 * only after the commit that holds it, and is decided on its own merits.
 */
export class GroupCommit {
  #kv: KvHandle;
  #clock: Pick<Clock, "elapsed">;
  #maxInFlight: number;
  #room: CommitSize;
  #queue: PendingChange[] = [];
  #inFlight = new Set<PendingChange[]>();
  /** How many the last commit took. */
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kv: KvHandle, { clock, maxChecks, maxInFlight }: GroupCommitOptions) {
    this.#kv = kv;
    this.#clock = clock;
    this.#maxInFlight = maxInFlight;
    this.#room = { ...KV_LIMITS, checks: maxChecks };
  }

  /**
   * Writes all of a change, or nothing where one of its checks fails. After two seconds nothing of
   * it is begun any more, but what was begun may still land.
   *
   * @throws {StoreUnavailableError}
   */
  commit(change: Change): Promise<CommitResult> {
    const result = Promise.withResolvers<CommitResult>();
    this.#queue.push({
      change,
      size: estimateSize(change),
      names: change.sets.map(({ key }) => keyId(key)),
      since: this.#clock.elapsed(),
      result,
      hasTimedOut: false,
    });
    this.#begin();
    // What is written at once has the deadline of the call that writes it.
    if (this.#queue.length > 0) this.#timer ??= setTimeout(() => this.#giveUp(), CALL_TIMEOUT_MS);
    return result.promise;
  }

  /** Whether a change may still land though whoever asked has been told that it may not have. */
  hasUncertainCommits(): boolean {
    if (hasAbandonedCalls(this.#kv)) return true;
    return [...this.#inFlight].some((members) => members.some(({ hasTimedOut }) => hasTimedOut));
  }

  /** Tells those who have waited for two seconds. One timer for all: each would cost its own. */
  #giveUp(): void {
    clearTimeout(this.#timer);
    const now = this.#clock.elapsed();
    let oldest = Infinity;
    for (const members of [...this.#inFlight, this.#queue]) {
      for (const member of members) {
        if (member.hasTimedOut) continue;
        member.hasTimedOut = now - member.since >= CALL_TIMEOUT_MS;
        if (member.hasTimedOut) member.result.reject(timeoutError());
        else oldest = Math.min(oldest, member.since);
      }
    }
    this.#timer = oldest === Infinity
      ? undefined
      : setTimeout(() => this.#giveUp(), Math.ceil(oldest + CALL_TIMEOUT_MS - now));
  }

  #begin(): void {
    while (this.#inFlight.size < this.#maxInFlight && this.#queue.length > 0) {
      const group = this.#take();
      this.#inFlight.add(group);
      this.#settle(group).then((answer) => {
        this.#inFlight.delete(group);
        this.#begin();
        // Only now: what comes of the answers takes the thread, and the store can work meanwhile.
        answer();
        if (this.#inFlight.size > 0) return;
        clearTimeout(this.#timer);
        this.#timer = undefined;
      });
    }
  }

  /** Those that fit into one commit, in their order; of two that write one key KV keeps the last. */
  #take(): PendingChange[] {
    const queue = this.#queue;
    const most = Math.max(SPLIT_THRESHOLD, Math.ceil((queue.length + this.#last) / 2));
    const group: PendingChange[] = [];
    const later: PendingChange[] = [];
    const taken = new Set<string>();
    const left = { ...this.#room };
    let next = 0;
    for (; next < queue.length; next++) {
      const member = queue[next]!;
      const { size, names, hasTimedOut } = member;
      if (hasTimedOut) continue;
      // KV refuses a whole commit for the one change that is too large: that one goes alone.
      const hasRoom = group.length < most && size.isWithinLimits && fits(size, left);
      if (group.length > 0 && !hasRoom) break;
      if (names.some((name) => taken.has(name))) {
        later.push(member);
        continue;
      }
      group.push(member);
      for (const name of names) taken.add(name);
      left.checks -= size.isWithinLimits ? size.checks : Infinity;
      left.mutations -= size.mutations;
      left.bytes -= size.bytes;
      left.keyBytes -= size.keyBytes;
    }
    this.#queue = later.concat(queue.slice(next));
    this.#last = group.length;
    return group;
  }

  /** Decides on every member, and gives what answers those who were not answered before. */
  async #settle(group: PendingChange[]): Promise<() => void> {
    try {
      let rest = group;
      for (let tries = 0; rest.length > 0; tries++) {
        const committed = await this.#write(rest);
        if (committed.ok) {
          return () => rest.forEach(({ result }) => result.resolve(committed));
        }
        // What is written in several calls has one deadline for all of them.
        this.#giveUp();
        const undecided = await this.#decide(rest);
        if (undecided.length === rest.length) {
          // What failed has changed again since.
          if (rest.length > 1) {
            await Promise.all(rest.map(async (one) => (await this.#settle([one]))()));
            return () => {};
          }
          if (tries >= MAX_ATTEMPTS) {
            throw new StoreUnavailableError("KV is contended: a check kept failing");
          }
        }
        rest = undecided.filter(({ hasTimedOut }) => !hasTimedOut);
      }
      return () => {};
    } catch (error) {
      return () => group.forEach(({ result }) => result.reject(error));
    }
  }

  #write(group: PendingChange[]): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
    return commit(this.#kv, (kv) => {
      const atomic = kv.atomic();
      for (const { change: { checks, sets }, hasTimedOut } of group) {
        if (hasTimedOut) continue;
        atomic.check(...checks);
        for (const { key, value, options } of sets) atomic.set(key, value, options);
      }
      return atomic.commit();
    });
  }

  /**
   * Decides on the members that a check of theirs makes fail, and returns the others: a failed
   * commit does not say which check it was, and one read of all of them costs less than a commit
   * of each.
   */
  async #decide(group: PendingChange[]): Promise<PendingChange[]> {
    const keys = group.flatMap(({ change }) => change.checks.map(({ key }) => key));
    const reads = [];
    for (let i = 0; i < keys.length; i += MAX_GET_MANY_KEYS) {
      const some = keys.slice(i, i + MAX_GET_MANY_KEYS);
      reads.push(call(this.#kv, (kv) => kv.getMany<unknown[]>(some)));
    }
    const entries = (await Promise.all(reads)).flat();
    return group.filter(({ change, result }) => {
      const { checks } = change;
      const present = entries.splice(0, checks.length);
      const failed = checks.filter(({ versionstamp }, i) =>
        present[i]!.versionstamp !== versionstamp
      );
      if (failed.length === 0) return true;
      const versionstamp = findOwnVersionstamp(change, present);
      result.resolve(versionstamp === null ? { ok: false, failed } : { ok: true, versionstamp });
      return false;
    });
  }
}
