import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { createRelease, releaseNotes } from "./release.ts";

const CHANGELOG = `# Changelog

## Unreleased

- Something new.

## 1.2.0 (2026-11-26)

### The desk

- Something old.

## 1.1.0

`;

/** A repository with one commit. */
class Repository implements AsyncDisposable {
  readonly lines: string[] = [];

  private constructor(readonly root: string) {}

  static async create(version: string, changelog = CHANGELOG): Promise<Repository> {
    const root = await Deno.makeTempDir() + "/";
    await Deno.writeTextFile(`${root}deno.json`, JSON.stringify({ version, tasks: {} }));
    await Deno.writeTextFile(`${root}CHANGELOG.md`, changelog);
    await Deno.writeTextFile(`${root}.gitignore`, "release/\n");
    const repository = new Repository(root);
    await repository.git("init", "--quiet");
    await repository.git("add", "--all");
    await repository.git("commit", "--quiet", "--message", "Start");
    return repository;
  }

  async git(...args: string[]): Promise<void> {
    const who = ["-c", "user.name=Ada", "-c", "user.email=ada@acme.example"];
    await this.run("git", ...who, "-c", "commit.gpgsign=false", ...args);
  }

  async run(command: string, ...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await new Deno.Command(command, { args, cwd: this.root })
      .output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  }

  release(isRehearsal = false): Promise<string[]> {
    return createRelease({
      root: this.root,
      isRehearsal,
      hasPackages: true,
      hasImage: false,
      print: (line) => this.lines.push(line),
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return Deno.remove(this.root, { recursive: true });
  }
}

Deno.test("a release has its notes, the source of the commit, and checksums that match", async () => {
  await using repository = await Repository.create("1.2.0");
  const files = await repository.release();
  assertEquals(files, ["NOTES.md", "deskhand-1.2.0.tar.gz", "SHA256SUMS"]);
  const folder = `${repository.root}release/`;
  assertEquals(await Deno.readTextFile(`${folder}NOTES.md`), "### The desk\n\n- Something old.\n");
  const source = await repository.run("tar", "-tzf", `${folder}deskhand-1.2.0.tar.gz`);
  assertStringIncludes(source, "deskhand-1.2.0/CHANGELOG.md\n");
  await repository.run("sh", "-c", "cd release && sha256sum --check --strict SHA256SUMS");
});

Deno.test("a second release leaves nothing of the first", async () => {
  await using repository = await Repository.create("1.2.0");
  await repository.release();
  await Deno.writeTextFile(`${repository.root}release/old.tar.gz`, "");
  assertEquals((await repository.release()).includes("old.tar.gz"), false);
});

Deno.test("a release with uncommitted changes fails and lists them", async () => {
  await using repository = await Repository.create("1.2.0");
  await Deno.writeTextFile(`${repository.root}new.ts`, "");
  const { message } = await assertRejects(() => repository.release(), Error);
  assertStringIncludes(message, "?? new.ts");
});

Deno.test("a development version can be rehearsed, but not released", async () => {
  await using repository = await Repository.create("1.3.0-dev");
  const { message } = await assertRejects(() => repository.release(), Error);
  assertStringIncludes(message, "The version is 1.3.0-dev");
  await repository.release(true);
  const notes = await Deno.readTextFile(`${repository.root}release/NOTES.md`);
  assertEquals(notes, "- Something new.\n");
});

Deno.test("a version without a text in the changelog is not released", () => {
  for (const version of ["1.1.0", "1.2", "9.9.9"]) {
    const { message } = assertThrows(() => releaseNotes(CHANGELOG, version), Error);
    assertEquals(message, `CHANGELOG.md has no text below '## ${version}'`);
  }
});
