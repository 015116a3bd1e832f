import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { Circuit } from "../../desk/circuit.ts";

const INTERVAL_MS = 5_000;

/** Returns a circuit that opened at time 0. */
function openCircuit(changes: string[] = []): Circuit {
  const circuit = new Circuit((state) => changes.push(state));
  for (let count = 0; count < 5; count++) circuit.timedOut(0);
  return circuit;
}

Deno.test("a circuit opens after five timeouts in a row, and not after four", () => {
  const changes: string[] = [];
  const circuit = new Circuit((state) => changes.push(state));
  for (let count = 0; count < 4; count++) circuit.timedOut(0);
  assertEquals([circuit.state, circuit.admit(0)], ["closed", "admitted"]);
  circuit.timedOut(0);
  assertEquals([circuit.state, circuit.admit(0), changes], ["open", "rejected", ["opened"]]);
});

Deno.test("a response resets the count of timeouts of a circuit", () => {
  const circuit = new Circuit();
  for (let count = 0; count < 4; count++) circuit.timedOut(0);
  circuit.responded();
  for (let count = 0; count < 4; count++) circuit.timedOut(0);
  assertEquals(circuit.admit(0), "admitted");
});

Deno.test("an open circuit admits one probe every five seconds", () => {
  const circuit = openCircuit();
  const verdicts: string[] = [];
  for (let now = 0; now <= 4 * INTERVAL_MS; now += 500) {
    const verdict = circuit.admit(now);
    if (verdict === "rejected") continue;
    verdicts.push(`${verdict} at ${now}`);
    assertEquals(circuit.admit(now), "rejected", "a second one while the probe is in flight");
    circuit.timedOut(now);
    circuit.probeEnded();
  }
  assertEquals(verdicts, ["probe at 5000", "probe at 10000", "probe at 15000", "probe at 20000"]);
});

Deno.test("a probe that takes longer than the interval is the only one in flight", () => {
  const circuit = openCircuit();
  assertEquals(circuit.admit(INTERVAL_MS), "probe");
  assertEquals(circuit.admit(10 * INTERVAL_MS), "rejected");
  circuit.probeEnded();
  assertEquals(circuit.admit(10 * INTERVAL_MS), "probe");
});

Deno.test("the first response closes an open circuit, whichever call received it", () => {
  for (const isProbing of [true, false]) {
    const changes: string[] = [];
    const circuit = openCircuit(changes);
    if (isProbing) circuit.admit(INTERVAL_MS);
    circuit.responded();
    if (isProbing) circuit.probeEnded();
    assertEquals([circuit.state, circuit.admit(INTERVAL_MS)], ["closed", "admitted"]);
    assertEquals(changes, ["opened", "closed"]);
  }
});

Deno.test("a probe that ends with neither response nor timeout leaves the circuit open", () => {
  const circuit = openCircuit();
  circuit.admit(INTERVAL_MS);
  circuit.probeEnded();
  assertEquals([circuit.state, circuit.admit(INTERVAL_MS)], ["open", "rejected"]);
});

Deno.test("timeouts of older calls do not delay the probe of an open circuit", () => {
  const circuit = openCircuit();
  for (let now = 0; now < INTERVAL_MS; now += 100) circuit.timedOut(now);
  assertEquals(circuit.admit(INTERVAL_MS), "probe");
});

type Step = "admit" | "responded" | "timedOut" | "end probe" | "pass";
const STEPS: Step[] = ["admit", "responded", "timedOut", "end probe", "pass"];

Deno.test("a circuit follows the table of its states, whatever happens", () => {
  const steps = fc.array(fc.constantFrom(...STEPS, "timedOut" as const, "timedOut" as const), {
    maxLength: 60,
  });
  fc.assert(
    fc.property(steps, (steps) => {
      const changes: string[] = [];
      const circuit = new Circuit((state) => changes.push(state));
      let now = 0;
      // An independent model of the table.
      let state = "closed";
      let inARow = 0;
      let probeAt = Infinity;
      let opened = 0;
      let closed = 0;
      for (const step of steps) {
        if (step === "pass") now += 1_000;
        if (step === "admit") {
          const isProbe = state === "open" && now >= probeAt;
          const expected = state === "closed" ? "admitted" : isProbe ? "probe" : "rejected";
          assertEquals(circuit.admit(now), expected);
          if (isProbe) [state, probeAt] = ["probing", now + INTERVAL_MS];
        }
        if (step === "responded") {
          circuit.responded();
          if (state !== "closed") closed++;
          [state, inARow] = ["closed", 0];
        }
        if (step === "timedOut") {
          circuit.timedOut(now);
          if (state === "closed" && ++inARow === 5) {
            [state, probeAt] = ["open", now + INTERVAL_MS];
            opened++;
          }
        }
        if (step === "end probe" && state !== "open") {
          circuit.probeEnded();
          if (state === "probing") state = "open";
        }
        assertEquals(circuit.state, state);
      }
      assertEquals(changes.filter((change) => change === "opened").length, opened);
      assertEquals(changes.filter((change) => change === "closed").length, closed);
    }),
    { numRuns: 2_000 },
  );
});
