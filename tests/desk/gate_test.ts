import { assertEquals, assertRejects } from "@std/assert";
import { toCreateFailure } from "../../desk/failures.ts";
import {
  CREATED,
  idle,
  isSettled,
  openGate,
  REJECTED,
  REQUEST,
  SIGNAL,
  WAIT_MS,
} from "./gate_fixtures.ts";

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
  test.clock.advance(WAIT_MS - 1);
  assertEquals(await isSettled(waiting), false);
  test.clock.advance(1);
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
  test.clock.advance(WAIT_MS);
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
