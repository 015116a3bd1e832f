import { assertEquals, assertMatch } from "@std/assert";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const LOG = new URL("../../config/log.ts", import.meta.url).href;

/** What a process says that logs as `body` has it, with its output sent where `shell` has it. */
async function run(options: object, body: string, shell = "") {
  const code = `import { openLog } from "${LOG}"; const log = openLog(${
    JSON.stringify(options)
  }, Date.now);`;
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      `exec "$0" "$@" ${shell}`,
      Deno.execPath(),
      "eval",
      "--quiet",
      `--config=${CONFIG}`,
      `${code}\n${body}`,
    ],
    env: { NO_COLOR: "1" },
  });
  const { code: exit, stdout, stderr } = await child.output();
  const decoder = new TextDecoder();
  return { exit, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}

const messages = (text: string) =>
  text.split("\n").filter(Boolean).map((line) => JSON.parse(line).message);

for (const isBatched of [true, false]) {
  const options = { level: "info", isBatched };
  const name = isBatched ? "batched" : "not batched";

  Deno.test(`the log is one JSON object a line, with a time, a level and the fields (${name})`, async () => {
    const { stdout } = await run(
      options,
      `log.info("test_event", "Stored", { reference: "SR-1", ms: 4 });`,
    );
    const { "@timestamp": time, ...line } = JSON.parse(stdout);
    assertMatch(time, /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/);
    assertEquals(line, {
      level: "INFO",
      event: "test_event",
      message: "Stored",
      logger: "deskhand",
      reference: "SR-1",
      ms: 4,
    });
  });

  Deno.test(`the log loses no line when the process ends, in whatever way (${name})`, async () => {
    const lines = `for (let i = 0; i < 5000; i++) log.info("test_event", String(i));`;
    const expected = Array.from({ length: 5000 }, (_, i) => String(i));
    for (const end of ["", "Deno.exit(3);", `throw new Error("a bug");`, `Promise.reject(1);`]) {
      const { stdout } = await run(options, `${lines} ${end}`);
      assertEquals(messages(stdout), expected, end);
    }
  });

  Deno.test(`the log that cannot be written hinders nobody (${name})`, async () => {
    const lines = `for (let i = 0; i < 5000; i++) log.info("test_event", String(i));`;
    const { exit, stderr } = await run(
      options,
      `${lines} log.error("test_event", "on");`,
      ">/dev/full",
    );
    assertEquals([exit, messages(stderr)], [0, ["on"]]);
  });

  Deno.test(`the log leaves out what is below its level (${name})`, async () => {
    const all =
      `log.debug("test_event", "d"); log.info("test_event", "i"); log.warn("test_event", "w"); log.error("test_event", "e");`;
    const said = async (level: string) => {
      const { stdout, stderr } = await run({ level, isBatched }, all);
      return [...messages(stdout), ...messages(stderr)].join("");
    };
    assertEquals(await said("debug"), "diwe");
    assertEquals(await said("info"), "iwe");
    assertEquals(await said("warn"), "we");
    assertEquals(await said("error"), "e");
  });
}

Deno.test("the log writes the first line at once, and keeps the order of levels", async () => {
  const body = `
    const said = [];
    for (const level of ["info", "warn", "error"]) console[level] = (text) => said.push(level + " " + text);
    log.info("test_event", "a"); log.info("test_event", "b"); log.info("test_event", "c");
    const atOnce = said.length;
    log.warn("test_event", "d"); log.warn("test_event", "e"); log.error("test_event", "f");
    const line = (text) => text.split("\\n").map((line) => JSON.parse(line.slice(line.indexOf("{"))).message);
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify([atOnce, said.map(line)])));
    addEventListener("unload", (event) => event.stopImmediatePropagation());
  `;
  const { stdout } = await run({ level: "info", isBatched: true }, body);
  assertEquals(JSON.parse(stdout), [1, [["a"], ["b", "c"], ["d", "e"], ["f"]]]);
});

Deno.test("the log keeps no line back for longer than a moment", async () => {
  const body = `
    const said = Promise.withResolvers();
    const write = console.info;
    let calls = 0;
    console.info = (text) => { write(text); if (++calls === 2) said.resolve(); };
    log.info("test_event", "a"); log.info("test_event", "b");
    await said.promise;
    Deno.kill(Deno.pid, "SIGKILL");
  `;
  const { stdout } = await run({ level: "info", isBatched: true }, body);
  assertEquals(messages(stdout), ["a", "b"]);
});
