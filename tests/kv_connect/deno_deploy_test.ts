/**
 * The service as Deno Deploy runs it: its runtime, a database on a server that `Deno.openKv()` finds
 * by itself, several instances, and no file that can be written.
 */
import { assertEquals } from "@std/assert";
import { startFakeDesk } from "../demo/fake_desk.ts";
import { deskEnvOnDeploy, startOnDeploy } from "../support/deno_deploy.ts";
import { readContents, torn } from "../support/kv_contents.ts";
import { HANGS_AFTER_MS, isReady } from "./fleet.ts";
import { startKvServer } from "./server.ts";

const CREATE = { handoff: { mode: "create" } };
const KEYS = Array.from({ length: 30 }, (_, i) => `key-${i}`);

/** Runs a program with a read-only file system. Needs root, as CI has. */
const READ_ONLY = [
  "unshare",
  "--mount",
  "--propagation=private",
  "bash",
  "-c",
  'mount -o remount,bind,ro / && exec "$0" "$@"',
];

Deno.test("Deploy: two instances over one server need no writable file, and share every key", async () => {
  await using server = await startKvServer();
  const desk = startFakeDesk();
  try {
    const launch = {
      database: server.url,
      within: READ_ONLY,
      env: { ...server.env, ...deskEnvOnDeploy(desk) },
      hangsAfterMs: HANGS_AFTER_MS,
    };
    await using first = await startOnDeploy(launch);
    await using second = await startOnDeploy(launch);
    await Promise.all([first, second].map(isReady));
    for (const key of KEYS) {
      const [one, other] = await Promise.all(
        [first, second].map((service) => service.submit(CREATE, { key })),
      );
      const created = [one!, other!].filter(({ status }) => status === 201);
      assertEquals(
        [one!, other!].filter(({ status }) => status === 409).length,
        2 - created.length,
      );
      const replay = await second.submit(CREATE, { key });
      for (const { body } of created) assertEquals(body, replay.body);
      assertEquals(replay.body.handoff.status, "created");
      for (const service of [first, second]) {
        assertEquals((await service.latest()).body.supportRequest, replay.body);
      }
    }
    assertEquals(desk.tickets.length, KEYS.length);
    assertEquals((await first.auditEvents()).length, 2 * KEYS.length);
    assertEquals(await Promise.all([first, second].map((one) => one.stop("SIGINT"))), [0, 0]);
    assertEquals(torn(await readContents(server.url)), []);
  } finally {
    await desk.close();
  }
});
