import { assert, assertEquals, assertGreater } from "@std/assert";
import { FailureReason } from "../../../domain/model/failure.ts";
import { MONITORING, readAlerts, readFile, readQueries, ROOT } from "./files.ts";
import { namedMetrics } from "./promql.ts";

/** Returns the anchors of the headings of a Markdown file, as GitHub makes them. */
async function anchors(path: string): Promise<Set<string>> {
  const headings = (await readFile(path)).matchAll(/^#+ (.+)$/gm);
  return new Set(headings.map(([, title]) => title!.toLowerCase().replaceAll(" ", "-")));
}

/** Returns the events that some module of the product logs at this level. */
async function eventsOf(level: "warn" | "error"): Promise<Set<string>> {
  const events = new Set<string>();
  const pattern = new RegExp(`log\\.${level}\\(\\s*"([a-z_]+)"`, "g");
  const search = async (path: string) => {
    for (const [, event] of (await readFile(path)).matchAll(pattern)) events.add(event!);
  };
  const visit = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(new URL(folder, ROOT))) {
      if (isDirectory) await visit(`${folder}${name}/`);
      else if (name.endsWith(".ts")) await search(folder + name);
    }
  };
  for (const folder of ["domain/", "desk/", "kv/", "routes/"]) await visit(folder);
  return events;
}

Deno.test("every alert has a paragraph in the runbook", async () => {
  const headings = await anchors(`${MONITORING}/README.md`);
  const alerts = await readAlerts();
  assertGreater(alerts.length, 10);
  for (const { name, runbook } of alerts) {
    assertEquals(runbook, `${MONITORING}/README.md#${name.toLowerCase()}`);
    assert(headings.has(name.toLowerCase()), name);
  }
});

Deno.test("the runbook explains every failure reason and every event of level ERROR", async () => {
  const headings = await anchors(`${MONITORING}/README.md`);
  const errors = await eventsOf("error");
  assertGreater(errors.size, 5);
  for (const name of [...FailureReason.options, ...errors]) assert(headings.has(name), name);
});

Deno.test("the links inside the runbook lead to its paragraphs", async () => {
  const headings = await anchors(`${MONITORING}/README.md`);
  const links = (await readFile(`${MONITORING}/README.md`)).matchAll(/\]\(#([^)]+)\)/g).toArray();
  assertGreater(links.length, 10);
  for (const [, anchor] of links) assert(headings.has(anchor!), anchor);
});

Deno.test("alerts and dashboard name outcomes and events that exist", async () => {
  const known: Record<string, Set<string>> = {
    deskhand_outcome: new Set([...FailureReason.options, "created", "ok", "conflict", "error"]),
    deskhand_event: (await eventsOf("error")).union(await eventsOf("warn")),
    deskhand_level: new Set(["warn", "error"]),
    db_operation_name: new Set(["read", "commit"]),
  };
  const expressions = [
    ...(await readAlerts()).map(({ expression }) => expression),
    ...readQueries(),
  ];
  const values = expressions.flatMap(namedMetrics).flatMap(({ values }) => values);
  assertGreater(values.length, 20);
  for (const [label, value] of values) {
    assert(known[label]?.has(value) ?? true, `${label} is never ${value}`);
  }
});
