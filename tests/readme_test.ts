/** What the documentation repeats of the code must stay true. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { Environment } from "../config/environment.ts";
import { FailureReason } from "../domain/model/failure.ts";
import manifest from "../deno.json" with { type: "json" };
import { SupportRequestPanelElement } from "../routes/panel/src/element.ts";
import { PROBLEMS } from "../routes/http/problems.ts";
import { SupportRequest } from "../routes/v1/responses.ts";

const ROOT = new URL("../", import.meta.url).pathname;

const read = (path: string) => Deno.readTextFile(ROOT + path);
const readme = await read("README.md");
const configuration = await read("config/README.md");
const operation = await read("config/deploy/README.md");
const api = await read("routes/v1/README.md");

/** Returns the text between a heading and the next one of the same or a higher level. */
function section(text: string, heading: string): string {
  const level = heading.split(" ")[0]!.length;
  const start = text.indexOf(`\n${heading}\n`);
  assert(start !== -1, `there is no section '${heading}'`);
  const body = text.slice(start + heading.length + 2);
  const end = body.search(new RegExp(`^#{1,${level}} `, "m"));
  return end === -1 ? body : body.slice(0, end);
}

/** Returns the cells of each row of the tables in a text, without their headings. */
function rows(text: string): string[][] {
  return text.split("\n").filter((line) => /^\| (?!-)/.test(line))
    .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
    .filter((_, index, all) => index > 0 && all.length > 0);
}

function codeIn(text: string): string[] {
  const prose = text.replaceAll(/^```[\s\S]*?^```$/mg, "");
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code!);
}

/** Folders that hold other people's documentation. */
const NOT_OURS = ["node_modules", "npm", "release", ".git"];

/** Returns the repository's documentation, by path. */
async function documents(folder = ""): Promise<[path: string, text: string][]> {
  const found: [string, string][] = [];
  for await (const { name, isDirectory } of Deno.readDir(ROOT + folder)) {
    if (NOT_OURS.includes(name)) continue;
    const path = folder + name;
    if (isDirectory) found.push(...await documents(`${path}/`));
    else if (name.endsWith(".md")) found.push([path, await read(path)]);
  }
  return found;
}

Deno.test("config/README.md lists each environment variable once, with its default", () => {
  const variables = rows(configuration.split("\n## ")[0]!);
  const names = variables.flatMap(([names]) => codeIn(names!));
  assertEquals(names.sort(), Object.keys(Environment.shape).sort());
  for (const [names, defaults] of variables) {
    if (defaults === "unset" || defaults === "none" || defaults === "required") continue;
    const values = codeIn(names!).map((name) =>
      String(Environment.shape[name as keyof typeof Environment.shape].safeParse(undefined).data)
    );
    assertEquals(codeIn(defaults!), values, names);
  }
});

Deno.test("the documentation lists each event of the log", async () => {
  const source = await read("domain/ports/log.ts");
  const union = /export type LogEvent =([^;]+);/.exec(source)![1]!;
  const events = [...union.matchAll(/"([a-z_]+)"/g)].map(([, event]) => event!);
  const named = codeIn(section(operation, "## Symptoms")).filter((code) =>
    /^[a-z]+(_[a-z]+)+$/.test(code)
  );
  // Reasons, which the table of symptoms names.
  const others = [
    "tenant_not_in_token",
    "scope_missing",
    "origin_not_allowed",
    "claim_iss",
    "claim_aud",
  ];
  assertEquals(named.filter((code) => ![...events, ...others].includes(code)), []);
  const table = section(operation, "## Log").split("\n### ")[0]!;
  assertEquals(rows(table).flatMap(([names]) => codeIn(names!)).sort(), events.toSorted());
});

Deno.test("the documentation lists each reason of a failed handoff", () => {
  const reasons = rows(section(operation, "### Why a handoff failed")).map(([reason]) => reason!);
  assertEquals(reasons.flatMap(codeIn).sort(), [...FailureReason.options].sort());
});

Deno.test("the documentation lists each problem type with its status", () => {
  const listed = rows(section(api, "## Errors")).flatMap(([status, slugs]) =>
    codeIn(slugs!).filter((slug) => /^[a-z-]+$/.test(slug)).map((slug) => [slug, Number(status)])
  );
  const problems = Object.entries(PROBLEMS).map(([slug, [status]]) => [slug, status]);
  assertEquals(Object.fromEntries(listed), Object.fromEntries(problems));
});

Deno.test("each task that the documentation names exists", async () => {
  const names = new Set<string>();
  for (const [path, text] of await documents()) {
    for (
      const [, name] of text.matchAll(
        /(?<![./\w])deno(?:@[\d.]+)? task (?:--[\w=-]+ )*([a-z][\w:-]*)/g,
      )
    ) {
      assert(name! in manifest.tasks, `${path}: deno task ${name}`);
      names.add(name!);
    }
  }
  assert(names.size > 10, [...names].join(" "));
});

Deno.test("each environment variable of Deskhand that the documentation names exists", async () => {
  const variable =
    /\b(?:SUPPORT_DESK|AUTH|CORS|RATE_LIMIT|RETENTION|ALLOW_HTTP|KV|PUBLIC|LOG)_[A-Z_]*[A-Z]\b/g;
  for (const [path, text] of await documents()) {
    for (const [name] of text.matchAll(variable)) {
      assert(name in Environment.shape, `${path}: ${name}`);
    }
  }
});

Deno.test("README.md and CHANGELOG.md speak of the version in deno.json", async () => {
  assertStringIncludes(readme, `version ${manifest.version}`);
  const changelog = await read("CHANGELOG.md");
  // A date may follow the version.
  const [latest] = [...changelog.matchAll(/^## (\S+)/mg)].map(([, title]) => title!);
  const isDevelopment = manifest.version.endsWith("-dev");
  assertEquals(latest, isDevelopment ? "Unreleased" : manifest.version);
});

Deno.test("README.md leads to the README of each folder that has more", () => {
  const folders = ["routes", "routes/panel", "routes/v1", "routes/client", "kv", "desk", "domain"];
  for (const folder of [...folders, "config", "config/deploy", "tests"]) {
    assertStringIncludes(readme, `](${folder}/README.md`);
  }
});

Deno.test("README.md's sample response is one of the service", () => {
  const [sample] = /(?<=```text\n)\{[\s\S]+?(?=```)/.exec(section(readme, "## Quick start"))!;
  SupportRequest.parse(JSON.parse(sample));
});

Deno.test("the panel's README lists each attribute and custom property of the element", async () => {
  const panel = await read("routes/panel/README.md");
  const attributes = rows(panel).map(([name]) => codeIn(name!)[0])
    .filter((name) => SupportRequestPanelElement.observedAttributes.includes(name!));
  assertEquals(attributes.sort(), SupportRequestPanelElement.observedAttributes.toSorted());
  const styles = await read("routes/panel/src/styles.css");
  const used = new Set([...styles.matchAll(/var\((--support-[a-z-]+)/g)].map(([, name]) => name!));
  const listed = codeIn(panel).filter((code) => code.startsWith("--support-"));
  assertEquals(listed.sort(), [...used].sort());
});

/** Returns the anchor that GitHub gives a heading. */
function anchorOf(heading: string): string {
  return heading.toLowerCase().replaceAll(/[^\p{L}\p{N}_ -]/gu, "").replaceAll(" ", "-");
}

Deno.test("each relative link of the documentation leads to a file, and to a heading in it", async () => {
  const broken: string[] = [];
  for (const [path, text] of await documents()) {
    const base = new URL(path, `file://${ROOT}`);
    const targets = [
      ...text.matchAll(/\]\(([^)\s]+)\)/g),
      ...text.matchAll(/(?:src|srcset|href)="(\.[^"]+)"/g),
    ].map(([, target]) => target!);
    for (const target of targets) {
      if (/^(https?|mailto):/.test(target)) continue;
      const { pathname, hash } = new URL(target, base);
      const exists = await Deno.stat(pathname).then(() => true, () => false);
      const headings = exists && hash !== ""
        ? [...(await Deno.readTextFile(pathname)).matchAll(/^#+ (.+)$/mg)]
        : [];
      const hasHeading = headings.some(([, heading]) => `#${anchorOf(heading!)}` === hash);
      if (!exists || hash !== "" && !hasHeading) broken.push(`${path}: ${target}`);
    }
  }
  assertEquals(broken, []);
});
