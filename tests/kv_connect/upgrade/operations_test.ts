/**
 * 1,000 random operations of two versions side by side, compared with a model. `OPERATIONS_SEED`
 * repeats a failure.
 */
import { assert, assertEquals } from "@std/assert";
import type { FakeDesk, FakeDeskMode } from "../../demo/fake_desk.ts";
import type { SupportRequest } from "../../../routes/v1/responses.ts";
import { readContents, torn } from "../../support/kv_contents.ts";
import { randomFrom } from "../../support/random.ts";
import type { Service } from "../../support/service_process.ts";
import { report } from "../fleet.ts";
import { startVersions } from "./versions.ts";

const CLIENTS = 8;
const OPERATIONS = 125;
const MODES: FakeDeskMode[] = [
  "normal",
  "normal",
  "error",
  "error-after-create",
  "reject",
  "refuse",
  "rate-limit",
  "rubbish",
];

/** One client in a context of its own, so that the latest request is known. */
class Client {
  readonly #keys: { key: string; submission: Record<string, unknown>; body: SupportRequest }[] = [];
  readonly acknowledged: SupportRequest[] = [];
  counts = { submitted: 0, replayed: 0, reused: 0, read: 0 };

  constructor(
    readonly run: string,
    readonly services: Service[],
    readonly desk: FakeDesk,
    /** Returns a number from 0 to below 1. */
    readonly random: () => number,
  ) {}

  /** Returns a random whole number below a limit. */
  readonly pick = (below: number): number => Math.floor(this.random() * below);

  async operate(): Promise<void> {
    const service = this.services[this.pick(this.services.length)]!;
    const taken = this.#keys[this.pick(this.#keys.length)];
    const kind = this.pick(10);
    if (kind < 4) await this.#submit(service);
    else if (kind < 7) await this.#read(service);
    else if (taken === undefined) await this.#submit(service);
    else if (kind < 9) {
      const { status, body } = await service.submit(taken.submission, this.#at(taken.key));
      assertEquals([status, body], [201, taken.body]);
      this.counts.replayed++;
    } else {
      const other = { ...taken.submission, summary: "Something else" };
      assertEquals((await service.submit(other, this.#at(taken.key))).status, 422);
      this.counts.reused++;
    }
  }

  #at(key: string) {
    return { run: this.run, key };
  }

  async #submit(service: Service): Promise<void> {
    const { pick } = this;
    this.desk.behave(MODES[pick(MODES.length)]!);
    const handoff = [
      { mode: "none" },
      { mode: "create" },
      { mode: "create" },
      { mode: "link", ticket: String(1 + pick(900)) },
    ][pick(4)];
    const submission = {
      summary: `Summary ${pick(1_000)}`,
      ...pick(2) && { description: `Line ${pick(10)}\n  and another` },
      ...pick(2) && { severity: ["low", "normal", "high", "critical"][pick(4)] },
      ...pick(3) === 0 && { contact: { name: "Ada", email: "ada@example.com" } },
      ...pick(3) === 0 && { diagnostics: { build: `1.${pick(9)}`, page: "/imports" } },
      handoff,
    };
    const key = `${this.run}-${this.#keys.length}`;
    const { status, body } = await service.submit(submission, this.#at(key));
    assertEquals(status, 201, JSON.stringify(body));
    this.#keys.push({ key, submission, body });
    this.acknowledged.push(body);
    this.counts.submitted++;
  }

  async #read(service: Service): Promise<void> {
    const { status, body } = await service.latest(this.run);
    assertEquals([status, body.supportRequest], [200, this.acknowledged.at(-1) ?? null]);
    this.counts.read++;
  }
}

Deno.test("1,000 random operations of two versions lose nothing and create no second ticket", async () => {
  const seed = Number(Deno.env.get("OPERATIONS_SEED") ?? Date.now() % 1_000_000);
  console.log(`OPERATIONS_SEED=${seed}`);
  // Version 1 cannot read a request that failed because the circuit is open, so nothing may time out.
  await using versions = await startVersions({ SUPPORT_DESK_TIMEOUT_MS: "5000" });
  const { old, current, desk, server } = versions;
  const clients = Array.from(
    { length: CLIENTS },
    (_, i) => new Client(`r-${i}`, [old, current], desk, randomFrom(seed + i)),
  );
  await Promise.all(clients.map(async (client) => {
    for (let i = 0; i < OPERATIONS; i++) await client.operate();
  }));
  const sum = (name: keyof Client["counts"]) =>
    clients.reduce((total, { counts }) => total + counts[name], 0);
  const { requests, events, keys } = await readContents(server.url);
  report({
    submitted: sum("submitted"),
    replayed: sum("replayed"),
    "keys reused": sum("reused"),
    read: sum("read"),
    tickets: desk.tickets.length,
    "audit events": [...events.values()].flat().length,
  });

  const all = clients.flatMap(({ acknowledged }) => acknowledged);
  assertEquals(new Set(all.map(({ reference }) => reference)), new Set(requests.keys()));
  assertEquals(keys.size, all.length);
  assertEquals(torn({ requests, events, keys }), []);
  const tickets = Map.groupBy(desk.tickets, ({ fields }) => fields["SupportRef"]!);
  for (const [reference, some] of tickets) {
    assertEquals(some.length, 1, `${reference} has ${some.length} tickets`);
  }
  for (const { reference, handoff } of all) {
    const ticket = tickets.get(reference)?.[0];
    if (handoff.status === "created") assertEquals(handoff.ticket.reference, ticket?.id);
    else if (handoff.status === "failed") {
      assert(ticket === undefined || handoff.ticketMayExist, `${reference} has a ticket`);
    } else assertEquals(ticket, undefined);
  }
  const pages = await Promise.all([old, current].map((service) => service.auditEvents()));
  assertEquals(pages[0], pages[1]);
});
