/** A real KV Connect server, and what a test needs to hurt it. */
import { freePort } from "../faults/kv_connect_server.ts";
import { until } from "../process.ts";
import { findServer } from "./find_server.ts";

const ACCESS_TOKEN = "a token for tests";

/** Starts `denokv` over a new database; resolves when it answers. */
export async function startKvServer(): Promise<KvServer> {
  const binary = await findServer();
  // For the test's own handles: `Deno.openKv` takes the token from nowhere else.
  Deno.env.set("DENO_KV_ACCESS_TOKEN", ACCESS_TOKEN);
  const server = new KvServer(binary, await Deno.makeTempDir({ prefix: "denokv-" }));
  await server.restart();
  return server;
}

/** See {@linkcode startKvServer}. */
export class KvServer implements AsyncDisposable {
  readonly env = { DENO_KV_ACCESS_TOKEN: ACCESS_TOKEN };
  readonly url: string;
  readonly #address = `127.0.0.1:${freePort()}`;
  readonly #binary: string;
  readonly #folder: string;
  #child: Deno.ChildProcess | null = null;

  constructor(binary: string, folder: string) {
    this.#binary = binary;
    this.#folder = folder;
    this.url = `http://${this.#address}`;
  }

  /** Ends it with SIGKILL. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.status;
    this.#child = null;
  }

  /** Starts it again where it was, with what it had; resolves when it answers. */
  async restart(): Promise<void> {
    await this.kill();
    this.#child = new Deno.Command(this.#binary, {
      args: ["--sqlite-path", `${this.#folder}/kv.sqlite`, "serve", "--addr", this.#address],
      env: { ...this.env, RUST_LOG: "error" },
      stdin: "null",
      stdout: "null",
    }).spawn();
    await until(() => this.#answers(), (answers) => answers);
  }

  /** Stops it where it stands: it accepts connections and answers nothing. */
  pause(): void {
    this.#child?.kill("SIGSTOP");
  }

  resume(): void {
    this.#child?.kill("SIGCONT");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    await Deno.remove(this.#folder, { recursive: true });
  }

  async #answers(): Promise<boolean> {
    try {
      const response = await fetch(this.url);
      await response.body?.cancel();
      return true;
    } catch {
      return false;
    }
  }
}
