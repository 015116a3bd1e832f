import { captureLog } from "../support/log.ts";
import { assertEquals, assertRejects } from "@std/assert";
import { createGate, type UngatedDesk } from "../../desk/gate.ts";
import { toCreateFailure } from "../../desk/failures.ts";
import type { CreateTicketResult, DeskCalls, FindTicketResult } from "../../domain/ports/desk.ts";
import { supportRequest } from "../support/records.ts";

const REQUEST = supportRequest();
const WAIT_MS = 4_000;
const INTERVAL_MS = 5_000;
const REJECTED = { outcome: "rejected" };
const SIGNAL = new AbortController().signal;

const TICKET = { reference: "42", url: "https://desk.example/Ticket/Display.html?id=42" };
const CREATED: CreateTicketResult = { outcome: "created", ticket: TICKET };
const TIMED_OUT = toCreateFailure({ outcome: "timed_out", phase: "request" });
const REJECTS = toCreateFailure({ outcome: "unexpected_status", status: 400, isJson: true });

/** A clock that tests advance. */
class Time {
  #now = 0;
  #deadlines: { at: number; controller: AbortController }[] = [];
  elapsed = () => this.#now;
  deadline = (milliseconds: number): AbortSignal => {
    const controller = new AbortController();
    this.#deadlines.push({ at: this.#now + milliseconds, controller });
    return controller.signal;
  };

  pass(milliseconds: number): void {
    this.#now += milliseconds;
    const isExpired = ({ at }: { at: number }) => at <= this.#now;
    const expired = this.#deadlines.filter(isExpired);
    this.#deadlines = this.#deadlines.filter((deadline) => !isExpired(deadline));
    for (const { controller } of expired) controller.abort();
  }
}

/** Returns a gate in front of a desk whose calls end when a test says so. */
function openGate(maxConcurrency: number) {
  const time = new Time();
  const { log, lines } = captureLog();
  const calls: PromiseWithResolvers<CreateTicketResult>[] = [];
  let ended = 0;
  const desk: UngatedDesk = {
    label: "Desk",
    resolveTicket: () => TICKET,
    createTicket() {
      const call = Promise.withResolvers<CreateTicketResult>();
      calls.push(call);
      return call.promise;
    },
    findTicket: () => Promise.resolve<FindTicketResult>({ outcome: "absent" }),
  };
  const gate = createGate(desk, { maxConcurrency, clock: time, log });
  /** A handoff with one create request. */
  const create = () => gate.admit(WAIT_MS, (calls) => calls.createTicket(REQUEST, SIGNAL));
  return {
    gate,
    desk,
    time,
    calls,
    create,
    events: () => lines.map(({ level, event }) => `${level} ${event}`),
    /** Ends the oldest call in flight. */
    async end(creation: CreateTicketResult): Promise<void> {
      calls[ended++]!.resolve(creation);
      await idle();
    },
    /** Opens the circuit with five consecutive timeouts. */
    async open(): Promise<void> {
      for (let count = 0; count < 5; count++) {
        const handoff = create();
        await idle();
        await this.end(TIMED_OUT);
        await handoff;
      }
    },
  };
}

/** Resolves after all pending promise reactions. */
const idle = () => new Promise((resolve) => setTimeout(resolve, 0));

/** Whether a promise is settled. */
async function isSettled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol();
  await idle();
  return await Promise.race([promise, Promise.resolve(pending)]) !== pending;
}

Deno.test("a gate admits as many handoffs as configured, and queues the others in order", async () => {
  const test = openGate(2);
  const order: string[] = [];
  const handoffs = ["a", "b", "c", "d"].map((name) =>
    test.gate.admit(WAIT_MS, (calls) => {
      order.push(name);
      return calls.createTicket(REQUEST, SIGNAL);
    })
  );
  await idle();
  assertEquals([order.join(), test.calls.length], ["a,b", 2]);
  await test.end(CREATED);
  assertEquals(order.join(), "a,b,c");
  // A new handoff queues behind the others, even if a slot has just become free.
  const last = test.gate.admit(WAIT_MS, () => Promise.resolve(order.push("e")));
  await test.end(CREATED);
  assertEquals(order.join(), "a,b,c,d");
  await test.end(CREATED);
  await test.end(CREATED);
  assertEquals(order.join(), "a,b,c,d,e");
  for (const handoff of handoffs) {
    assertEquals(await handoff, { outcome: "admitted", result: CREATED });
  }
  await last;
});

Deno.test("a gate rejects a handoff when its wait expires, and sends nothing for it", async () => {
  const test = openGate(1);
  const first = test.create();
  const waiting = test.create();
  test.time.pass(WAIT_MS - 1);
  assertEquals(await isSettled(waiting), false);
  test.time.pass(1);
  assertEquals(await waiting, REJECTED);
  await test.end(CREATED);
  await first;
  assertEquals(test.calls.length, 1);
  // An expired handoff does not occupy a slot.
  const next = test.create();
  await idle();
  await test.end(CREATED);
  assertEquals((await next).outcome, "admitted");
});

Deno.test("a gate does not end a handoff when the maximum wait expires", async () => {
  const test = openGate(1);
  const first = test.create();
  const second = test.create();
  await idle();
  await test.end(CREATED);
  await first;
  test.time.pass(WAIT_MS);
  assertEquals(await isSettled(second), false);
  await test.end(CREATED);
  assertEquals((await second).outcome, "admitted");
});

Deno.test("a handoff keeps its slot for its lookup", async () => {
  const test = openGate(1);
  const order: string[] = [];
  const first = test.gate.admit(WAIT_MS, async (calls) => {
    await calls.createTicket(REQUEST, SIGNAL);
    await calls.findTicket(REQUEST, SIGNAL);
    order.push("first");
  });
  const second = test.gate.admit(WAIT_MS, () => Promise.resolve(order.push("second")));
  await test.end(toCreateFailure({ outcome: "unexpected_status", status: 500, isJson: true }));
  await Promise.all([first, second]);
  assertEquals(order, ["first", "second"]);
});

Deno.test("the slot of a handoff that throws is passed on", async () => {
  const test = openGate(1);
  const first = test.gate.admit(WAIT_MS, () => Promise.reject(new Error("a bug")));
  const second = test.gate.admit(WAIT_MS, () => Promise.resolve("done"));
  await assertRejects(() => first, Error, "a bug");
  assertEquals(await second, { outcome: "admitted", result: "done" });
});

Deno.test("a gate rejects handoffs immediately after five consecutive timeouts", async () => {
  const test = openGate(2);
  await test.open();
  assertEquals(await test.create(), REJECTED);
  assertEquals([test.calls.length, test.events()], [5, ["error desk_circuit_opened"]]);
});

Deno.test("a gate rejects queued handoffs when the circuit opens", async () => {
  const test = openGate(5);
  const inFlight = Array.from({ length: 5 }, test.create);
  const waiting = Array.from({ length: 7 }, test.create);
  await idle();
  for (let count = 0; count < 5; count++) await test.end(TIMED_OUT);
  // The first four timeouts passed their slots on; nothing else is admitted.
  assertEquals(await Promise.all(waiting.slice(4)), [REJECTED, REJECTED, REJECTED]);
  assertEquals(test.calls.length, 9);
  for (let count = 0; count < 4; count++) await test.end(TIMED_OUT);
  await Promise.all([...inFlight, ...waiting]);
  assertEquals(test.events(), ["error desk_circuit_opened"]);
});

Deno.test("a probe with any response closes the circuit", async () => {
  for (
    const response of [CREATED, REJECTS, toCreateFailure({ outcome: "unreadable", status: 201 })]
  ) {
    const test = openGate(2);
    await test.open();
    test.time.pass(INTERVAL_MS);
    const probe = test.create();
    assertEquals(await test.create(), REJECTED);
    await idle();
    await test.end(response);
    assertEquals(await probe, { outcome: "admitted", result: response });
    const others = [test.create(), test.create()];
    await idle();
    await test.end(CREATED);
    await test.end(CREATED);
    assertEquals((await Promise.all(others)).map(({ outcome }) => outcome), [
      "admitted",
      "admitted",
    ]);
    assertEquals(test.events(), ["error desk_circuit_opened", "info desk_circuit_closed"]);
  }
});

const PROBES: Record<
  string,
  (calls: DeskCalls, end: (creation: CreateTicketResult) => void) => unknown
> = {
  "times out": (calls, end) => {
    const call = calls.createTicket(REQUEST, SIGNAL);
    end(TIMED_OUT);
    return call;
  },
  "cannot connect": (calls, end) => {
    const call = calls.createTicket(REQUEST, SIGNAL);
    end(toCreateFailure({ outcome: "not_sent", phase: "connect" }));
    return call;
  },
  "loses its connection": (calls, end) => {
    const call = calls.createTicket(REQUEST, SIGNAL);
    end(toCreateFailure({ outcome: "connection_lost", phase: "request" }));
    return call;
  },
  "makes no call": () => {},
  "throws": () => Promise.reject(new Error("a bug")),
};
for (const [what, work] of Object.entries(PROBES)) {
  Deno.test(`a probe that ${what} leaves the circuit open until the next one`, async () => {
    const test = openGate(1);
    await test.open();
    test.time.pass(INTERVAL_MS);
    await test.gate.admit(WAIT_MS, async (calls) => await work(calls, test.end)).catch(() => {});
    assertEquals(await test.create(), REJECTED);
    test.time.pass(INTERVAL_MS);
    const next = test.create();
    await idle();
    await test.end(CREATED);
    assertEquals((await next).outcome, "admitted");
    assertEquals(test.events(), ["error desk_circuit_opened", "info desk_circuit_closed"]);
  });
}

Deno.test("a lookup that times out counts, and one with a response closes the circuit", async () => {
  const test = openGate(1);
  let lookup: FindTicketResult = { outcome: "unclear", responsiveness: "timed_out" };
  test.desk.findTicket = () => Promise.resolve(lookup);
  const find = () => test.gate.admit(WAIT_MS, (calls) => calls.findTicket(REQUEST, SIGNAL));
  for (let count = 0; count < 5; count++) await find();
  assertEquals(await find(), REJECTED);
  lookup = { outcome: "absent" };
  test.time.pass(INTERVAL_MS);
  assertEquals(await find(), { outcome: "admitted", result: lookup });
  assertEquals((await find()).outcome, "admitted");
});

Deno.test("a desk that cannot be reached opens no circuit", async () => {
  const test = openGate(1);
  for (let count = 0; count < 10; count++) {
    const handoff = test.create();
    await idle();
    await test.end(toCreateFailure({ outcome: "not_sent", phase: "connect" }));
    assertEquals((await handoff).outcome, "admitted");
  }
  assertEquals(test.events(), []);
});

Deno.test("a gate resolves tickets while the circuit is open", async () => {
  const test = openGate(1);
  await test.open();
  assertEquals([test.gate.label, test.gate.resolveTicket("42")], ["Desk", TICKET]);
});
