/** How many calls in a row must time out before the circuit opens. */
const TIMEOUTS_TO_OPEN = 5;
/** How long the circuit is open before its first probe, and from one probe to the next. */
const PROBE_INTERVAL_MS = 5_000;

/**
 * The states of a circuit breaker. While the desk hangs, submissions fail immediately instead of
 * after five seconds each, and the desk is not flooded.
 *
 * | state | entered | handoffs | left |
 * | --- | --- | --- | --- |
 * | closed | initially; on any response while open or probing | admitted | to open: after five consecutive timeouts |
 * | open | from closed; when a probe ends without a response | rejected | to probing: by the first handoff at least five seconds after the circuit opened or the last probe started; to closed: on a response |
 * | probing | from open | rejected, except the probe itself | to closed: on a response; to open: when the probe ends without one |
 *
 * A response with any status counts: a desk that rejects a ticket is alive. A call that ends
 * with neither a response nor a timeout (DNS failure, connection refused, connection lost) keeps no
 * user waiting and says nothing about the desk's load, so it changes no state.
 */
type State =
  | { name: "closed"; timeouts: number }
  | { name: "open"; probeAt: number }
  | { name: "probing"; probeAt: number };

/** What a {@linkcode Circuit} decides about one handoff. */
export type Verdict = "admitted" | "probe" | "rejected";

/** A circuit breaker; see `State` for its states. All times are monotonic milliseconds. */
export class Circuit {
  #state: State = { name: "closed", timeouts: 0 };
  #onChange: (state: "opened" | "closed") => void;

  /** `onChange` is called when the circuit opens and closes, not when a probe starts or fails. */
  constructor(onChange: (state: "opened" | "closed") => void = () => {}) {
    this.#onChange = onChange;
  }

  get state(): State["name"] {
    return this.#state.name;
  }

  /**
   * Decides whether a handoff that starts at `now` may call the desk. After `probe`, the caller
   * must call {@linkcode probeEnded}, or no further probe is admitted.
   */
  admit(now: number): Verdict {
    const state = this.#state;
    if (state.name === "closed") return "admitted";
    if (state.name === "probing" || now < state.probeAt) return "rejected";
    this.#state = { name: "probing", probeAt: now + PROBE_INTERVAL_MS };
    return "probe";
  }

  /** Records that a call received a response. */
  responded(): void {
    const wasOpen = this.#state.name !== "closed";
    this.#state = { name: "closed", timeouts: 0 };
    if (wasOpen) this.#onChange("closed");
  }

  /** Records that a call was sent, or started to connect, and timed out without a response. */
  timedOut(now: number): void {
    // While open, a timeout belongs to a call that started earlier; a probe's ends with the probe.
    if (this.#state.name !== "closed") return;
    if (++this.#state.timeouts < TIMEOUTS_TO_OPEN) return;
    this.#state = { name: "open", probeAt: now + PROBE_INTERVAL_MS };
    this.#onChange("opened");
  }

  /** Records that the probe's handoff has ended. Without a response, the circuit reopens. */
  probeEnded(): void {
    if (this.#state.name === "probing") this.#state = { ...this.#state, name: "open" };
  }
}
