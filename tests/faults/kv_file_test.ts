import { assert, assertEquals, assertGreater, assertLess, assertStringIncludes } from "@std/assert";
import { DatabaseSync } from "node:sqlite";
import { SupportRequest } from "../../domain/model/support_request.ts";
import { FakeClock } from "../support/clock.ts";
import { TENANT } from "../support/constants.ts";
import { dump, lockDatabase, openKvFile, temporaryPath } from "../support/kv_file.ts";
import { openService } from "../support/service.ts";
import {
  assertUnavailable,
  type Service,
  since,
  startService,
} from "../support/service_process.ts";
import { waitFor } from "../support/wait_for.ts";
import { startGatedDesk } from "../support/gated_desk.ts";

const INTERRUPTED_MS = 60_000;

/** Locks the database against other readers and writers, too. */
function lockExclusively(path: string) {
  const database = new DatabaseSync(path);
  database.exec("BEGIN EXCLUSIVE");
  const release = () => {
    if (database.isOpen) database.close();
  };
  return { release, [Symbol.dispose]: release };
}

Deno.test("a submission during a short lock is stored once the lock is released", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  await service.latest();
  using lock = lockDatabase(file.path);
  const submission = service.submit({ summary: "Submitted under the lock" });
  // Shows that the lock has an effect: before the first commit, readiness tries a write.
  assertEquals((await service.call("/readyz")).status, 503);
  lock.release();
  const { status, body } = await submission;
  assertEquals(status, 201);
  assertEquals((await service.latest()).body.supportRequest, body);
  assertEquals((await service.auditEvents()).length, 1);
});

/** Submissions are rejected and reads work; all work again when the lock is released. */
async function survivesLock(): Promise<void> {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  const before = (await service.submit()).body;
  using lock = lockExclusively(file.path);
  const [rejected, keyed, latest, live] = await Promise.all([
    service.submit(),
    service.submit({}, { key: "k-1" }),
    service.latest(),
    service.call("/livez"),
  ]);
  assertUnavailable(rejected);
  assertUnavailable(keyed);
  assertStringIncludes(String(Object(keyed.body).detail), "with the same Idempotency-Key");
  assertEquals([latest.status, latest.body.supportRequest], [200, before]);
  assertLess(latest.ms, rejected.ms);
  assertEquals(live.status, 200);
  const ready = await service.call("/readyz");
  assertUnavailable(ready);
  assertLess(ready.ms, rejected.ms);
  lock.release();

  assertEquals((await service.latest()).body.supportRequest, before);
  const [retry, unkeyed] = [await service.submit({}, { key: "k-1" }), await service.submit()];
  assertEquals([retry.status, unkeyed.status], [201, 201]);
  assertEquals((await service.call("/readyz")).status, 200);
  assertEquals((await service.auditEvents()).length, 3);
}

/**
 * It listens, responds 503, says that the store is not open yet, and works when the lock is released.
 * KV itself holds this lock while it removes what expired during a stop.
 */
async function startsUnderLock(): Promise<void> {
  await using file = await temporaryPath();
  (await openKvFile(file.path)).close();
  using lock = lockDatabase(file.path);
  await using service = await startService({ kvPath: file.path });
  await assertAway(service);
  const ready = await service.call("/readyz");
  assertUnavailable(ready);
  assertStringIncludes(String(ready.body.detail), "The store is not open yet");
  await service.output.line("store_opening");
  lock.release();
  const isReady = async () => (await service.call("/readyz")).status === 200;
  // Long before the next write of readiness itself, 30 seconds after the one before.
  await waitFor("the service is ready", isReady);
  await service.output.line("store_opened");
  assertEquals((await service.submit()).status, 201);
  assertEquals(await service.stop(), 0);
}

/** It exits on SIGTERM although its first call still waits for the lock. */
async function endsUnderLock(): Promise<void> {
  await using file = await temporaryPath();
  (await openKvFile(file.path)).close();
  using _lock = lockDatabase(file.path);
  await using service = await startService({ kvPath: file.path });
  await assertAway(service);
  const started = performance.now();
  assertEquals(await service.stop(), 0);
  assertLess(since(started), 9_000);
}

async function assertAway(service: Service): Promise<void> {
  const [latest, submission, live] = await Promise.all([
    service.latest(),
    service.submit(),
    service.call("/livez"),
  ]);
  assertUnavailable(latest);
  assertUnavailable(submission);
  assertEquals(live.status, 200);
}

// Concurrently, because each of them mostly waits for deadlines.
Deno.test("under a lock submissions get 503, SIGTERM works, and all work once it ends", async () => {
  const ends = await Promise.allSettled([
    survivesLock(),
    startsUnderLock(),
    endsUnderLock(),
  ]);
  for (const end of ends) if (end.status === "rejected") throw end.reason;
});

Deno.test("after a finalization that KV rejects, a retry adopts the ticket", async () => {
  await using file = await temporaryPath();
  await using desk = startGatedDesk();
  using kv = await openKvFile(file.path);
  const clock = new FakeClock({ now: "real" });
  await using service = await openService({ kv, clock, env: desk.env });
  const submit = async () => {
    const response = await service.call(TENANT, {
      json: { summary: "Printer on fire", handoff: { mode: "create" } },
      headers: { "Idempotency-Key": "k-1" },
    });
    return { status: response.status, headers: response.headers, body: await response.json() };
  };

  const submission = submit();
  await desk.created(1);
  using lock = lockDatabase(file.path);
  const lockedAt = performance.now();
  desk.respond();
  const { status, body } = await submission;
  assertEquals([status, body.handoff.status], [201, "pending"]);
  assertLess(since(lockedAt), 4_000);
  const errors = service.lines.filter(({ level }) => level === "error");
  assertEquals(errors.map(({ reference, ticket }) => [reference, ticket]), [[body.reference, "1"]]);
  lock.release();

  clock.offset = INTERRUPTED_MS;
  const retry = await submit();
  assertEquals([retry.status, retry.headers.get("Idempotent-Replayed")], [201, "true"]);
  assertEquals(retry.body.reference, body.reference);
  assertEquals(retry.body.handoff.ticket.reference, "1");
  assertEquals(desk.tickets.length, 1);
  const audit = await (await service.call("/v1/tenants/acme/audit-events")).json();
  assertEquals(audit.events.map(({ event }: { event: string }) => event), [
    "handoff.created",
    "request.submitted",
  ]);
});

/** A disk that fills up: how to start the service there, and how to make room. */
interface FullDisk {
  name: string;
  isPossible: boolean;
  before(folder: string): string;
  wrapped?: boolean;
  makeRoom(pid: number, folder: string): string[];
}

const isLinux = Deno.build.os === "linux";

const FULL_DISKS: FullDisk[] = [
  {
    name: "a limit on the size of files",
    isPossible: isLinux && works("prlimit", "--version"),
    // Deno does not ignore the signal: without the trap the limit would kill it.
    before: () => "trap '' XFSZ; ulimit -S -f 320",
    makeRoom: (pid) => ["prlimit", "--pid", String(pid), "--fsize=unlimited"],
  },
  {
    name: "a full file system",
    isPossible: isLinux && works("unshare", "-rm", "mount", "-t", "tmpfs", "tmpfs", "/mnt"),
    before: (folder) => `mount -t tmpfs -o size=1m tmpfs ${folder}`,
    wrapped: true,
    makeRoom: (pid, folder) => [
      ...["nsenter", "-t", String(pid), "-U", "-m", "--preserve-credentials"],
      ...["mount", "-o", "remount,size=16m", folder],
    ],
  },
];

function works(...command: string[]): boolean {
  try {
    return new Deno.Command(command[0]!, { args: command.slice(1) }).outputSync().success;
  } catch {
    return false;
  }
}

for (const disk of FULL_DISKS) {
  Deno.test({
    name: `on ${disk.name} submissions get 503, and none is torn`,
    ignore: !disk.isPossible,
    async fn() {
      await using file = await temporaryPath();
      const folder = file.path.slice(0, file.path.lastIndexOf("/"));
      await using service = await startService({
        kvPath: file.path,
        before: disk.before(folder),
        within: disk.wrapped ? ["unshare", "-rm"] : [],
      });
      assertEquals((await service.call("/readyz")).status, 200);
      const acknowledged = await fill(service);
      assertUnavailable(await service.call("/readyz"));
      assertGreater(acknowledged.length, 3);
      const rejected = await Promise.all(
        Array.from({ length: 8 }, (_, i) => service.submit(LONG, { key: `k-${i}` })),
      );
      rejected.forEach(assertUnavailable);
      assertEquals((await service.call("/livez")).status, 200);
      assertEquals((await service.latest()).body.supportRequest?.reference, acknowledged.at(-1));
      assertWhole(acknowledged, (await service.auditEvents()).map(({ reference }) => reference));

      const [command, ...args] = disk.makeRoom(service.child.pid, folder);
      assert(works(command!, ...args));
      for (let i = 0; i < 8; i++) {
        const { status, body } = await service.submit(LONG, { key: `k-${i}` });
        assertEquals(status, 201);
        acknowledged.push(body.reference);
        assertEquals((await service.call("/readyz")).status, 200);
      }
      assertWhole(acknowledged, (await service.auditEvents()).map(({ reference }) => reference));
      assertEquals(await service.stop(), 0);
      if (disk.wrapped) return; // The file system has gone with the process.
      using kv = await Deno.openKv(file.path);
      const stored = (await dump(kv)).filter(({ key }) => key[0] === "tenant");
      const requests = stored.map(({ value }) => SupportRequest.parse(value).reference);
      assertWhole(acknowledged, requests);
    },
  });
}

const LONG = { description: "x".repeat(8000) };

/** Submits until there is no room; returns the references of the acknowledged requests, in order. */
async function fill(service: Service): Promise<string[]> {
  const references: string[] = [];
  // The smaller one fills the space that is too small for the larger one.
  for (const json of [LONG, {}]) {
    for (let status = 201; status === 201;) {
      assertLess(references.length, 1_000, "the disk fills up");
      const response = await service.submit(json);
      status = response.status;
      if (status === 201) references.push(response.body.reference);
    }
  }
  return references;
}

function assertWhole(acknowledged: string[], found: string[]): void {
  assertEquals(found.toSorted(), acknowledged.toSorted());
}

Deno.test("a service whose KV file is replaced logs it and exits", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  await service.submit();
  const other = `${file.path}.other`;
  await Deno.writeFile(other, new Uint8Array());
  await Deno.rename(other, file.path);
  assertEquals(await service.ended(), 3);
  assertStringIncludes(service.output.text, "store_removed");
});
