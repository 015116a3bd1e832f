/** How many calls in a row must time out before the circuit opens. */
const TIMEOUTS_TO_OPEN = 5;
/** How long an open circuit waits between two probes, and before the first one. */
const PROBE_INTERVAL_MS = 5_000;

/**
 * A circuit breaker: while the desk hangs, submissions fail immediately instead of after five seconds
 * each, and the desk is not flooded.
 *
 * | state | entered | handoffs | left |
 * | --- | --- | --- | --- |
 * | closed | at the start; on a response while open or probing | admitted | to open, when five calls in a row have timed out |
 * | open | from closed; when a probe has ended without a response | rejected | to probing, by the first handoff that comes five seconds after the circuit opened or the last probe began; to closed, by a response |
 * | probing | from open | rejected, but for the probe | to closed, by a response; to open, when the probe has ended without one |
 *
 * A response is any at all: a desk that rejects a ticket is alive. A call that ended in neither a
 * response nor a timeout (a name that does not resolve, a closed port, a lost connection) keeps
 * nobody waiting and proves nothing, so it changes nothing.
 */
type State =
  | { name: "closed"; timeouts: number }
  | { name: "open"; probeAt: number }
  | { name: "probing"; probeAt: number };

/** What a {@linkcode Circuit} says about one handoff. */
export type Verdict = "admitted" | "probe" | "rejected";

/** See `State` for its states. Times are in milliseconds since some start, and never jump. */
export class Circuit {
  #state: State = { name: "closed", timeouts: 0 };
  #onChange: (state: "opened" | "closed") => void;

  /** `onChange` is called when the circuit opens and closes, not when a probe begins or fails. */
  constructor(onChange: (state: "opened" | "closed") => void = () => {}) {
    this.#onChange = onChange;
  }

  get state(): State["name"] {
    return this.#state.name;
  }

  /** Decides about a handoff that begins now. A probe must be followed by {@linkcode probeEnded}. */
  admit(now: number): Verdict {
    const state = this.#state;
    if (state.name === "closed") return "admitted";
    if (state.name === "probing" || now < state.probeAt) return "rejected";
    this.#state = { name: "probing", probeAt: now + PROBE_INTERVAL_MS };
    return "probe";
  }

  /** A call ended with a response of the desk. */
  responded(): void {
    const wasOpen = this.#state.name !== "closed";
    this.#state = { name: "closed", timeouts: 0 };
    if (wasOpen) this.#onChange("closed");
  }

  /** A call was sent, or began to connect, and had no response when its time was over. */
  timedOut(now: number): void {
    // A timeout while open is of a call that began before; one of the probe ends with the probe.
    if (this.#state.name !== "closed") return;
    if (++this.#state.timeouts < TIMEOUTS_TO_OPEN) return;
    this.#state = { name: "open", probeAt: now + PROBE_INTERVAL_MS };
    this.#onChange("opened");
  }

  /** The probe's handoff has ended, however: without a response the circuit is open again. */
  probeEnded(): void {
    if (this.#state.name === "probing") this.#state = { ...this.#state, name: "open" };
  }
}
