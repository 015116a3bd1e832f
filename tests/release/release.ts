/** What `deno task release` does: checks, and then puts everything of a release into one folder. */

/** The release cannot be made. The message says what to do. */
export class ReleaseError extends Error {
  override name = "ReleaseError";
}

export interface ReleaseOptions {
  /** The repository, with a slash at its end. */
  root: string;
  /** Accepts a development version, whose notes are the section "Unreleased". */
  isRehearsal: boolean;
  /** Whether to build the npm packages, if there is a task for it, and the image, if Docker runs. */
  hasPackages: boolean;
  hasImage: boolean;
  print(line: string): void;
}

/** The folder of the release's files, below the root. Git ignores it. */
export const FOLDER = "release";

/** Returns the section of a version in the changelog, without its heading. */
export function releaseNotes(changelog: string, title: string): string {
  const headings = [...changelog.matchAll(/^## (\S+).*$/mg)];
  const index = headings.findIndex(([, name]) => name === title);
  const heading = headings[index];
  const notes = heading === undefined
    ? ""
    : changelog.slice(heading.index + heading[0].length, headings[index + 1]?.index).trim();
  if (notes === "") throw new ReleaseError(`CHANGELOG.md has no text below '## ${title}'`);
  return `${notes}\n`;
}

/**
 * Creates the release of the current commit in {@linkcode FOLDER} and returns the names of its files.
 *
 * @throws {ReleaseError}
 */
export async function createRelease(options: ReleaseOptions): Promise<string[]> {
  const { root, isRehearsal, print } = options;
  const folder = `${root}${FOLDER}/`;
  const { version, tasks } = JSON.parse(await Deno.readTextFile(`${root}deno.json`));
  const isDevelopment = version.endsWith("-dev");
  if (isDevelopment && !isRehearsal) {
    throw new ReleaseError(
      `The version is ${version}. Write the version to release into deno.json, ` +
        "config/deploy/production.json and Dockerfile, or rehearse with --rehearse",
    );
  }
  const changelog = await Deno.readTextFile(`${root}CHANGELOG.md`);
  const notes = releaseNotes(changelog, isDevelopment ? "Unreleased" : version);
  const changes = await run(root, "git", "status", "--porcelain");
  if (changes !== "") throw new ReleaseError(`Commit or stash these changes first:\n${changes}`);

  await Deno.remove(folder, { recursive: true }).catch(() => {});
  await Deno.mkdir(folder);
  const name = `deskhand-${version}`;
  await Deno.writeTextFile(`${folder}NOTES.md`, notes);
  await run(
    root,
    "git",
    "archive",
    `--prefix=${name}/`,
    `--output=${folder}${name}.tar.gz`,
    "HEAD",
  );
  if (options.hasPackages && "build:npm" in tasks) {
    await run(root, Deno.execPath(), "task", "build:npm");
    for await (const file of Deno.readDir(`${root}npm`)) {
      if (file.name.endsWith(".tgz")) {
        await Deno.copyFile(`${root}npm/${file.name}`, folder + file.name);
      }
    }
  }
  if (options.hasImage) {
    await buildImage(root, version, { prefix: `${folder}${name}-image`, print });
  }
  return await writeChecksums(folder);
}

export interface ImageOptions extends Pick<ReleaseOptions, "print"> {
  /** The path of the file, without the platform. */
  prefix: string;
  /** Variables of Docker, beside those of the environment. */
  env?: Record<string, string>;
}

/**
 * Builds the image and saves it to a compressed file, whose name is `prefix` with the platform, such as
 * `-linux-amd64.tar.gz`. If Docker does not run, prints that instead.
 */
export async function buildImage(
  root: string,
  version: string,
  { prefix, print, env = {} }: ImageOptions,
): Promise<void> {
  const docker = (...args: string[]) => run({ cwd: root, env }, "docker", ...args);
  const isRunning = await docker("version").then(() => true, () => false);
  if (!isRunning) return print("Without an image: Docker is not installed, or does not run");
  const tag = `deskhand:${version}`;
  // Arguments without a value are taken from the environment.
  const bases = ["BUILD_IMAGE", "BASE_IMAGE"].filter((name) => name in env || Deno.env.has(name));
  const options = bases.flatMap((name) => ["--build-arg", name]);
  await docker("build", ...options, "--tag", tag, ".");
  const format = "{{.Os}}-{{.Architecture}}";
  const platform = await docker("image", "inspect", "--format", format, tag);
  const file = await Deno.create(`${prefix}-${platform.trim()}.tar.gz`);
  const save = new Deno.Command("docker", {
    args: ["save", tag],
    env,
    stdin: "null",
    stdout: "piped",
  }).spawn();
  await save.stdout.pipeThrough(new CompressionStream("gzip")).pipeTo(file.writable);
  if (!(await save.status).success) throw new ReleaseError(`docker save ${tag} failed`);
}

/** Writes `SHA256SUMS`, which `sha256sum --check` reads. Returns the names of all files. */
async function writeChecksums(folder: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(folder)) names.push(name);
  const lines = await Promise.all(
    names.sort().map(async (name) => {
      const digest = await crypto.subtle.digest("SHA-256", await Deno.readFile(folder + name));
      return `${new Uint8Array(digest).toHex()}  ${name}\n`;
    }),
  );
  await Deno.writeTextFile(`${folder}SHA256SUMS`, lines.join(""));
  return [...names, "SHA256SUMS"];
}

/** Runs a command to its end and returns its standard output. */
async function run(
  where: string | Pick<Deno.CommandOptions, "cwd" | "env">,
  command: string,
  ...args: string[]
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, {
    ...typeof where === "string" ? { cwd: where } : where,
    args,
    stdin: "null",
  }).output();
  const [output, errors] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  if (!success) throw new ReleaseError(`${command} ${args.join(" ")} failed:\n${output}${errors}`);
  return output!;
}
