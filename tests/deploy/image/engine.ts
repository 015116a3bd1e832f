/** A separate Docker daemon with its own base image, and the image of this repository. */
import { waitFor } from "../../support/wait_for.ts";

export const ROOT = new URL("../../../", import.meta.url).pathname;
/** Debian 12, on which CI runs, too. */
const SUITE = "bookworm";

export interface Output {
  code: number;
  stdout: string;
  stderr: string;
}

/** A Docker daemon. See {@linkcode startEngine}. */
export class Engine implements AsyncDisposable {
  readonly #folder: string;
  /** At most 15 characters. */
  readonly #bridge = `deskhand${Deno.pid % 1_000_000}`;
  #daemon?: Deno.ChildProcess;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Starts the daemon. Its containers use the host's network. It has a bridge of its own nevertheless:
   * with `--bridge=none` it would remove `docker0`, the bridge of a daemon that runs on this machine.
   */
  async start(): Promise<void> {
    const folder = this.#folder;
    await ip("link", "add", "name", this.#bridge, "type", "bridge");
    this.#daemon = new Deno.Command("dockerd", {
      args: [
        ...["--host", this.#host, "--data-root", `${folder}/data`, "--exec-root", `${folder}/exec`],
        ...["--pidfile", `${folder}/pid`],
        ...[`--bridge=${this.#bridge}`, "--iptables=false", "--ip-forward=false"],
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await waitFor("Docker responds", async () => (await this.run("version")).code === 0);
  }

  /** Runs `docker` to its end. */
  async run(...args: string[]): Promise<Output> {
    const { code, stdout, stderr } = await this.#docker(args).output();
    return { code, stdout: text(stdout), stderr: text(stderr) };
  }

  /** Runs `docker` to its end, and resolves with what it printed; throws if it fails. */
  async succeed(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...args);
    if (code !== 0) throw new Error(`docker ${args.join(" ")} failed:\n${stdout}${stderr}`);
    return stdout.trim();
  }

  /** Creates an image from the files in a folder. */
  async import(folder: string, tag: string, ...changes: string[]): Promise<void> {
    const options = changes.flatMap((change) => ["--change", change]);
    const tar = new Deno.Command("tar", { args: ["-C", folder, "-c", "."], stdout: "piped" })
      .spawn();
    const child = this.#docker(["import", ...options, "-", tag]).spawn();
    await tar.stdout.pipeTo(child.stdin);
    const { code, stderr } = await child.output();
    if (code !== 0) throw new Error(text(stderr));
  }

  /** Builds the image of this repository. */
  async build(tag: string, args: Record<string, string>): Promise<void> {
    const options = Object.entries(args).flatMap(([name, value]) => [
      "--build-arg",
      `${name}=${value}`,
    ]);
    await this.succeed("build", "--network=host", ...options, "--tag", tag, ROOT);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const running = (await this.run("ps", "--all", "--quiet")).stdout.split("\n").filter(Boolean);
    if (running.length > 0) await this.run("rm", "--force", "--volumes", ...running);
    this.#daemon?.kill("SIGTERM");
    await this.#daemon?.status;
    await ip("link", "delete", this.#bridge);
    await this.#unmount();
    await Deno.remove(this.#folder, { recursive: true });
  }

  /** Unmounts what the daemon leaves mounted at its end, such as the network of its containers. */
  async #unmount(): Promise<void> {
    const mounts = (await Deno.readTextFile("/proc/mounts")).split("\n")
      .map((line) => line.split(" ")[1]!)
      .filter((path) => path?.startsWith(`${this.#folder}/`));
    for (const path of mounts.reverse()) {
      await new Deno.Command("umount", { args: [path] }).output();
    }
  }

  /** With these variables, other programs use this daemon. The builder is Debian's, without plugins. */
  get env(): Record<string, string> {
    return { DOCKER_HOST: this.#host, DOCKER_BUILDKIT: "0" };
  }

  get #host(): string {
    return `unix://${this.#folder}/docker.sock`;
  }

  #docker(args: string[]): Deno.Command {
    return new Deno.Command("docker", {
      args,
      env: this.env,
      stdin: args[0] === "import" ? "piped" : "null",
      stdout: "piped",
      stderr: "piped",
    });
  }
}

/** Runs `ip` to its end. */
async function ip(...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command("ip", { args }).output();
  if (!success) throw new Error(`ip ${args.join(" ")} failed: ${text(stderr)}`);
}

/** The images that the build starts from: see {@linkcode startEngine}. */
export const BASES = { BUILD_IMAGE: "build", BASE_IMAGE: "base" };

/** Starts a daemon and builds the image `deskhand` on a Debian that debootstrap installs. */
export async function startEngine(): Promise<Engine> {
  await using starting = new AsyncDisposableStack();
  const engine = starting.use(new Engine(await Deno.makeTempDir({ prefix: "docker-" })));
  await engine.start();
  const files = await Deno.makeTempDir({ prefix: "debian-" });
  starting.defer(() => Deno.remove(files, { recursive: true }));
  const { code, stdout } = await new Deno.Command("debootstrap", {
    args: ["--variant=minbase", SUITE, files],
  }).output();
  if (code !== 0) throw new Error(text(stdout));
  await engine.import(files, "base");
  // The Deno that runs this test, so that the build needs only the package registry.
  await Deno.copyFile(Deno.execPath(), `${files}/usr/local/bin/deno`);
  const certificates = Deno.env.get("NODE_EXTRA_CA_CERTS");
  if (certificates) await Deno.copyFile(certificates, `${files}/etc/extra-ca.pem`);
  const trust = certificates ? ["ENV NODE_EXTRA_CA_CERTS=/etc/extra-ca.pem"] : [];
  await engine.import(files, "build", ...trust);
  await engine.build("deskhand", BASES);
  await Deno.remove(files, { recursive: true });
  starting.move();
  return engine;
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
