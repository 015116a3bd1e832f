import { assertEquals, assertMatch } from "@std/assert";

const CONFIG = new URL("../../deno.json", import.meta.url).pathname;
const LOG = new URL("../../config/log.ts", import.meta.url).href;

/** Runs `body` in a process of its own, with a log, and returns its output. `shell` redirects it. */
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

  Deno.test(`a log line is a JSON object with timestamp, level and fields (${name})`, async () => {
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

  Deno.test(`no log line is lost when the process ends, exits or crashes (${name})`, async () => {
    const lines = `for (let i = 0; i < 5000; i++) log.info("test_event", String(i));`;
    const expected = Array.from({ length: 5000 }, (_, i) => String(i));
    for (const end of ["", "Deno.exit(3);", `throw new Error("a bug");`, `Promise.reject(1);`]) {
      const { stdout } = await run(options, `${lines} ${end}`);
      assertEquals(messages(stdout), expected, end);
    }
  });

  Deno.test(`a log on a full disk does not end the process (${name})`, async () => {
    const lines = `for (let i = 0; i < 5000; i++) log.info("test_event", String(i));`;
    const { exit, stderr } = await run(
      options,
      `${lines} log.error("test_event", "on");`,
      ">/dev/full",
    );
    assertEquals([exit, messages(stderr)], [0, ["on"]]);
  });

  Deno.test(`the log omits lines below its level (${name})`, async () => {
    const all =
      `log.debug("test_event", "d"); log.info("test_event", "i"); log.warn("test_event", "w"); log.error("test_event", "e");`;
    const output = async (level: string) => {
      const { stdout, stderr } = await run({ level, isBatched }, all);
      return [...messages(stdout), ...messages(stderr)].join("");
    };
    assertEquals(await output("debug"), "diwe");
    assertEquals(await output("info"), "iwe");
    assertEquals(await output("warn"), "we");
    assertEquals(await output("error"), "e");
  });
}

Deno.test("lines of one turn are written together after it, an error's in it", async () => {
  const body = `
    const written = [];
    for (const level of ["info", "warn", "error"]) console[level] = (text) => written.push(level + " " + text);
    for (const text of ["1", "2", "3", "4", "a", "b"]) log.info("test_event", text);
    const immediate = written.length;
    await new Promise((resolve) => setTimeout(resolve, 1));
    const afterTurn = written.length;
    log.info("test_event", "c");
    log.warn("test_event", "d"); log.warn("test_event", "e"); log.error("test_event", "f");
    const line = (text) => text.split("\\n").map((line) => JSON.parse(line.slice(line.indexOf("{"))).message);
    Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify([immediate, afterTurn, written.map(line)])));
    addEventListener("unload", (event) => event.stopImmediatePropagation());
  `;
  const { stdout } = await run({ level: "info", isBatched: true }, body);
  assertEquals(JSON.parse(stdout), [
    4,
    5,
    [["1"], ["2"], ["3"], ["4"], ["a", "b"], ["c"], ["d", "e"], ["f"]],
  ]);
});

Deno.test("a buffered log line is written within milliseconds, before a SIGKILL", async () => {
  const body = `
    const buffered = Promise.withResolvers();
    const write = console.info;
    console.info = (text) => { write(text); if (text.includes('"f"')) buffered.resolve(); };
    for (const text of ["a", "b", "c", "d", "e", "f"]) log.info("test_event", text);
    await buffered.promise;
    Deno.kill(Deno.pid, "SIGKILL");
  `;
  const { stdout } = await run({ level: "info", isBatched: true }, body);
  assertEquals(messages(stdout), ["a", "b", "c", "d", "e", "f"]);
});

Deno.test("for journald, each line begins with the priority of its level, also in a batch", async () => {
  const body = ["error", "warn", "info", "info", "info", "debug"]
    .map((level) => `log.${level}("test_event", "${level}");`).join("");
  for (const isBatched of [true, false]) {
    const { stdout, stderr } = await run({ level: "debug", isBatched, hasPriorities: true }, body);
    const lines = (stderr + stdout).trim().split("\n");
    assertEquals(lines.map((line) => line.slice(0, 3)), ["<3>", "<4>", "<6>", "<6>", "<6>", "<7>"]);
    const levels = lines.map((line) => JSON.parse(line.slice(3)).message);
    assertEquals(levels, ["error", "warn", "info", "info", "info", "debug"]);
  }
});
