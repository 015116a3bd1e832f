import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import settings from "../../../deno.json" with { type: "json" };
import { fill } from "./fixtures.ts";
import { openTestStore } from "../fixtures.ts";
import { AUTH_SECRET, DAY_MS, requestsPath, run } from "../../support/constants.ts";
import { contents, openKvFile, temporaryPath } from "../../support/kv_file.ts";
import { type Service, startService } from "../../support/service_process.ts";
import { runErase } from "../../support/erase.ts";
import { requestIn } from "../../support/records.ts";
import { mintToken } from "../../demo/token.ts";

/** Submits as a person, with the person's mark in every text and ID. */
async function submitAs(service: Service, mark: string, run?: string): Promise<number> {
  const token = await mintToken(AUTH_SECRET, { sub: `sub-${mark}`, name: `Name ${mark}` });
  const response = await fetch(service.url + requestsPath(run), {
    method: "POST",
    headers: {
      "Authorization": `Bearer ${token}`,
      "Content-Type": "application/json",
      "Idempotency-Key": `key-${mark}-${run}`,
    },
    body: JSON.stringify({
      summary: `Summary ${mark}`,
      description: `Description ${mark} `.repeat(50),
      contact: { name: `Contact ${mark}`, email: `${mark}@acme.example` },
      diagnostics: { [`key-${mark}`]: `value ${mark}` },
    }),
  });
  await response.body?.cancel();
  return response.status;
}

/** Returns the names of the files in a folder that contain a text. */
async function filesWith(folder: string, mark: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const bytes = await Deno.readFile(`${folder}/${name}`);
    // In UTF-16, too, as V8 stores texts beyond Latin-1.
    const texts = ["latin1", "utf-16le"].map((label) => new TextDecoder(label).decode(bytes));
    texts.push(new TextDecoder("utf-16le").decode(bytes.subarray(1)));
    if (texts.some((text) => text.includes(mark))) found.push(name);
  }
  return found;
}

Deno.test("an erasure leaves no byte of the person's texts in the files", async () => {
  await using file = await temporaryPath();
  const folder = file.path.slice(0, file.path.lastIndexOf("/"));
  const [ada, bob] = ["ada51b7c0d", "bob7e2f9a1"];
  {
    await using service = await startService({ kvPath: file.path });
    for (let i = 0; i < 40; i++) {
      for (const mark of [ada, bob]) assertEquals(await submitAs(service, mark, `r-${i}`), 201);
    }
    assertEquals(await service.stop(), 0);
  }
  assertEquals(await filesWith(folder, ada), ["deskhand.kv"]);
  const person = ["--tenant", "acme", "--actor", `sub-${ada}`];
  const found = await runErase(file.path, person);
  assertEquals(found.code, 0);
  assertStringIncludes(found.stdout, "40  support requests");
  assertStringIncludes(found.stdout, "Nothing was deleted. Add --yes");
  assertEquals(await filesWith(folder, ada), ["deskhand.kv"]);

  const erased = await runErase(file.path, [...person, "--yes"]);
  assertEquals([erased.code, erased.stderr], [0, ""]);
  assertStringIncludes(erased.stdout, "40  support requests");
  assertEquals([await filesWith(folder, ada), await filesWith(folder, bob)], [[], ["deskhand.kv"]]);

  await using service = await startService({ kvPath: file.path });
  const { body } = await service.latest("r-7");
  assertEquals(body.supportRequest?.createdBy.id, `sub-${bob}`);
  assertEquals((await service.auditEvents()).length, 40);
  assertEquals((await service.submit()).status, 201);
});

Deno.test("erase rejects a file that a service has open, without disturbing it", async () => {
  await using file = await temporaryPath();
  await using service = await startService({ kvPath: file.path });
  await service.submit();
  const { code, stderr } = await runErase(file.path, ["--tenant", "acme", "--yes"]);
  assertEquals(code, 1);
  assertStringIncludes(stderr, "another process has it open");
  assertStringIncludes(stderr, "Stop that process");
  assertEquals((await service.auditEvents()).length, 1);
  assertEquals((await service.submit()).status, 201);
});

Deno.test("erase --expired deletes records that were stored without RETENTION_DAYS", async () => {
  await using file = await temporaryPath();
  {
    using kv = await openKvFile(file.path);
    using test = await openTestStore({ kv });
    for (const days of [89, 91]) {
      await test.store.append(requestIn(run(`age-${days}`), { now: Date.now() - days * DAY_MS }));
    }
  }
  const { code, stdout } = await runErase(file.path, ["--expired", "--yes"], {
    RETENTION_DAYS: "90",
  });
  assertEquals(code, 0);
  assertStringIncludes(stdout, "Deleted for all tenants, older than RETENTION_DAYS");
  const keys = [...(await snapshot(file.path)).keys()];
  assertEquals([keys.length, keys.some((key) => key.includes("acme/age-89"))], [2, true]);
});

Deno.test("erase deletes nothing without a clear scope, and says what is wrong", async () => {
  await using file = await temporaryPath();
  {
    using kv = await openKvFile(file.path);
    await fill(kv);
  }
  const before = await snapshot(file.path);
  const wrong: [string[], string][] = [
    [[], "Usage: deno task erase"],
    [["--actor", "ada"], "Usage: deno task erase"],
    [["--tenant", ""], "--tenant must be"],
    [["--tenant", "acme/r-1"], "--tenant must be"],
    [["--tenant", "acme", "--actor", ""], "--actor"],
    [["--tenant", "acme", "--expired"], "--expired cannot be combined"],
    [["--expired"], "requires RETENTION_DAYS"],
    [["--tenant", "acme", "ada"], "Unexpected argument"],
    [["--tenant", "acme", "--actor=ada", "--all"], "Unknown option"],
    [["--tenant"], "--tenant"],
  ];
  await Promise.all(wrong.map(async ([flags, sentence]) => {
    const { code, stderr, stdout } = await runErase(file.path, [...flags, "--yes"]);
    assertEquals([code, stdout], [1, ""], flags.join(" "));
    assertStringIncludes(stderr, sentence);
    assert(!stderr.includes("    at "), stderr);
  }));
  assertEquals(await snapshot(file.path), before);

  const missing = `${file.path}-typo`;
  const { code, stderr } = await runErase(missing, ["--tenant", "acme", "--yes"]);
  assertEquals([code, stderr.trim()], [1, `There is no KV file ${missing}: check KV_PATH`]);
  assertEquals(await Deno.stat(missing).catch(() => null), null);
});

Deno.test("the task erase reads .env and passes on only the configuration", () => {
  const { erase, "erase:run": inner, start } = settings.tasks;
  assertEquals(erase.command, start.command.replace("serve", "erase:run"));
  assertEquals(inner.dependencies, ["config:env"]);
});

Deno.test("erase rejects a second tenant or person", async () => {
  await using file = await temporaryPath();
  for (
    const [flag, ...flags] of [
      ["--tenant", "--tenant", "acme", "--tenant", "globex"],
      ["--actor", "--tenant", "acme", "--actor", "u-1", "--actor=u-2"],
    ] as [string, ...string[]][]
  ) {
    const { code, stdout, stderr } = await runErase(file.path, [...flags, "--yes"]);
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, `${flag} can be given only once`);
  }
});

Deno.test("erase says what to check if the KV Connect server cannot be reached", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  closed.close();
  const { code, stderr } = await runErase(
    `http://127.0.0.1:${closed.addr.port}`,
    ["--tenant", "acme"],
    { DENO_KV_ACCESS_TOKEN: "a-token-of-tests" },
  );
  assertEquals(code, 1);
  assertStringIncludes(stderr, "connection refused. Check that the server at KV_PATH is running");
  assertStringIncludes(stderr, "DENO_KV_ACCESS_TOKEN");
});

async function snapshot(path: string): Promise<Map<string, string>> {
  using kv = await Deno.openKv(path);
  return await contents(kv);
}
