/** A real KV Connect server that a test can kill and suspend. */
import { freePort } from "../support/raw_server.ts";
import { waitFor } from "../support/wait_for.ts";
import { findServer } from "./find_server.ts";
import type { Network } from "./network.ts";

const ACCESS_TOKEN = "a token for tests";

/** Starts `denokv` over a new database, in a network if given; resolves when it responds. */
export async function startKvServer(network?: Network): Promise<KvServer> {
  const binary = await findServer();
  // For the handles of the test: `Deno.openKv` reads the token from the environment only.
  Deno.env.set("DENO_KV_ACCESS_TOKEN", ACCESS_TOKEN);
  const folder = await Deno.makeTempDir({ prefix: "denokv-" });
  const server = new KvServer(binary, folder, network);
  await server.restart();
  return server;
}

/** See {@linkcode startKvServer}. */
export class KvServer implements AsyncDisposable {
  readonly env: Record<string, string>;
  readonly url: string;
  readonly #address: string;
  readonly #command: string[];
  readonly #folder: string;
  #child: Deno.ChildProcess | null = null;

  constructor(binary: string, folder: string, network?: Network) {
    this.#address = `${network?.address ?? "127.0.0.1"}:${freePort()}`;
    this.#command = [...network?.within ?? [], binary];
    this.#folder = folder;
    this.url = `http://${this.#address}`;
    this.env = {
      DENO_KV_ACCESS_TOKEN: ACCESS_TOKEN,
      ...network && { ALLOW_HTTP_HOSTS: network.address },
    };
  }

  /** Ends it with SIGKILL. */
  async kill(): Promise<void> {
    this.#child?.kill("SIGKILL");
    await this.#child?.status;
    this.#child = null;
  }

  /** Starts it again with the same address and database; resolves when it responds. */
  async restart(): Promise<void> {
    await this.kill();
    const [program, ...args] = this.#command;
    this.#child = new Deno.Command(program!, {
      args: [
        ...args,
        "--sqlite-path",
        `${this.#folder}/kv.sqlite`,
        "serve",
        "--addr",
        this.#address,
      ],
      env: { ...this.env, RUST_LOG: "error" },
      stdin: "null",
      stdout: "null",
    }).spawn();
    await waitFor("denokv responds", () => this.#responds());
  }

  /** Suspends it: it accepts connections and never responds. */
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

  async #responds(): Promise<boolean> {
    try {
      const response = await fetch(this.url);
      await response.body?.cancel();
      return true;
    } catch {
      return false;
    }
  }
}
