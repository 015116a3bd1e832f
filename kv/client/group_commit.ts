import { type Clock, StoreUnavailable } from "../../domain/ports.ts";
import { call, commit, DEADLINE_MS, hasLeftBehind, type KvHandle, unanswered } from "./call.ts";
import { type Change, isWithin, landedAs, measure, nameOf, ROOM, type Room } from "./change.ts";
import { MAX_KEYS } from "../keys.ts";

export type Committed =
  | { ok: true; versionstamp: string }
  /** Nothing was written, because of these checks. */
  | { ok: false; failed: Deno.AtomicCheck[] };

export interface GroupCommitOptions {
  clock: Pick<Clock, "elapsed">;
  /** Checks that one commit may have. */
  maxChecks: number;
  /** Commits that may be under way at once. */
  maxUnderWay: number;
}

/** For a local file: two commits at once would wait for each other. */
export const LOCAL = { maxChecks: 100, maxUnderWay: 1 };
/**
 * For a server. A self-hosted one (`denokv`) refuses more than ten checks. Its answer takes a round
 * trip, so that a commit does not wait for the one before it: with 64 at once it took 1.5 times as
 * many submissions a second as with 16, and with one at a time hardly any.
 */
export const SHARED = { maxChecks: 10, maxUnderWay: 64 };

/**
 * Of more than so many, a commit takes no more than half of all that are about: waiting, or in the
 * commit before. Without, a first one alone and then all the others take turns, and the thread and
 * the store wait for each other.
 */
const SMALL = 16;

/** How often a change is tried whose check fails, and passes when it is looked at. */
const MAX_TRIES = 10;

/** One change on its way, and whoever waits for it. */
interface Member {
  change: Change;
  size: ReturnType<typeof measure>;
  /** The keys that it writes. */
  names: string[];
  since: number;
  answer: PromiseWithResolvers<Committed>;
  /** Whether whoever asked has been told that the store is unavailable. */
  isOver: boolean;
}

/**
 * Commits changes, those together that arrive while a commit is under way: each commit of a local
 * file is one fsync, and KV groups none of its own. A change never waits for company, is answered
 * only after the commit that holds it, and is decided on its own merits.
 */
export class GroupCommit {
  #kv: KvHandle;
  #clock: Pick<Clock, "elapsed">;
  #maxUnderWay: number;
  #room: Room;
  #queue: Member[] = [];
  #underWay = new Set<Member[]>();
  /** How many the last commit took. */
  #last = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(kv: KvHandle, { clock, maxChecks, maxUnderWay }: GroupCommitOptions) {
    this.#kv = kv;
    this.#clock = clock;
    this.#maxUnderWay = maxUnderWay;
    this.#room = { ...ROOM, checks: maxChecks };
  }

  /**
   * Writes all of a change, or nothing where one of its checks fails. After two seconds nothing of
   * it is begun any more, but what was begun may still land.
   *
   * @throws {StoreUnavailable}
   */
  commit(change: Change): Promise<Committed> {
    const answer = Promise.withResolvers<Committed>();
    this.#queue.push({
      change,
      size: measure(change),
      names: change.sets.map(({ key }) => nameOf(key)),
      since: this.#clock.elapsed(),
      answer,
      isOver: false,
    });
    this.#begin();
    // What is written at once has the deadline of the call that writes it.
    if (this.#queue.length > 0) this.#timer ??= setTimeout(() => this.#giveUp(), DEADLINE_MS);
    return answer.promise;
  }

  /** Whether a change may still land though whoever asked has been told that it may not have. */
  mayLand(): boolean {
    if (hasLeftBehind(this.#kv)) return true;
    return [...this.#underWay].some((members) => members.some(({ isOver }) => isOver));
  }

  /** Tells those who have waited for two seconds. One timer for all: each would cost its own. */
  #giveUp(): void {
    clearTimeout(this.#timer);
    const now = this.#clock.elapsed();
    let oldest = Infinity;
    for (const members of [...this.#underWay, this.#queue]) {
      for (const member of members) {
        if (member.isOver) continue;
        member.isOver = now - member.since >= DEADLINE_MS;
        if (member.isOver) member.answer.reject(unanswered());
        else oldest = Math.min(oldest, member.since);
      }
    }
    this.#timer = oldest === Infinity
      ? undefined
      : setTimeout(() => this.#giveUp(), Math.ceil(oldest + DEADLINE_MS - now));
  }

  #begin(): void {
    while (this.#underWay.size < this.#maxUnderWay && this.#queue.length > 0) {
      const group = this.#take();
      this.#underWay.add(group);
      this.#settle(group).then((answer) => {
        this.#underWay.delete(group);
        this.#begin();
        // Only now: what comes of the answers takes the thread, and the store can work meanwhile.
        answer();
        if (this.#underWay.size > 0) return;
        clearTimeout(this.#timer);
        this.#timer = undefined;
      });
    }
  }

  /** Those that fit into one commit, in their order; of two that write one key KV keeps the last. */
  #take(): Member[] {
    const queue = this.#queue;
    const most = Math.max(SMALL, Math.ceil((queue.length + this.#last) / 2));
    const group: Member[] = [];
    const later: Member[] = [];
    const taken = new Set<string>();
    const left = { ...this.#room };
    let next = 0;
    for (; next < queue.length; next++) {
      const member = queue[next]!;
      const { size, names, isOver } = member;
      if (isOver) continue;
      // KV refuses a whole commit for the one change that is too large: that one goes alone.
      const hasRoom = group.length < most && size.isWithinLimits && isWithin(size, left);
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
  async #settle(group: Member[]): Promise<() => void> {
    try {
      let rest = group;
      for (let tries = 0; rest.length > 0; tries++) {
        const committed = await this.#write(rest);
        if (committed.ok) {
          return () => rest.forEach(({ answer }) => answer.resolve(committed));
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
          if (tries >= MAX_TRIES) {
            throw new StoreUnavailable("KV is contended: a check kept failing");
          }
        }
        rest = undecided.filter(({ isOver }) => !isOver);
      }
      return () => {};
    } catch (error) {
      return () => group.forEach(({ answer }) => answer.reject(error));
    }
  }

  #write(group: Member[]): Promise<Deno.KvCommitResult | Deno.KvCommitError> {
    return commit(this.#kv, (kv) => {
      const atomic = kv.atomic();
      for (const { change: { checks, sets }, isOver } of group) {
        if (isOver) continue;
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
  async #decide(group: Member[]): Promise<Member[]> {
    const keys = group.flatMap(({ change }) => change.checks.map(({ key }) => key));
    const reads = [];
    for (let i = 0; i < keys.length; i += MAX_KEYS) {
      const some = keys.slice(i, i + MAX_KEYS);
      reads.push(call(this.#kv, (kv) => kv.getMany<unknown[]>(some)));
    }
    const entries = (await Promise.all(reads)).flat();
    return group.filter(({ change, answer }) => {
      const { checks } = change;
      const present = entries.splice(0, checks.length);
      const failed = checks.filter(({ versionstamp }, i) =>
        present[i]!.versionstamp !== versionstamp
      );
      if (failed.length === 0) return true;
      const versionstamp = landedAs(change, present);
      answer.resolve(versionstamp === null ? { ok: false, failed } : { ok: true, versionstamp });
      return false;
    });
  }
}
