/** Starts and ends the processes of one Request Tracker. */

const SERVER = "/usr/share/request-tracker5/libexec/rt-server";
const HOST = "127.0.0.1";
const READY_WITHIN_MS = 120_000;

export interface RequestTrackerOptions {
  /** Where to listen; a free port by default. */
  port?: number;
  /** 4 by default, for speed. Real desks use 12, where checking a token takes about 250 ms. */
  bcryptCost?: number;
  /** Whether Request Tracker's own notifications stay on. What it would send goes to a file. */
  sendsMail?: boolean;
}

export interface Server {
  url: string;
  token: string;
  agentPassword: string;
  directory: string;
  /** The main process, and the process group of all. */
  pid: number;
  /** What a program needs to work on the same Request Tracker. */
  env: Record<string, string>;
  /** Ends every process, whatever state it is in, and removes the directory. */
  end(): Promise<void>;
}

/** Sets a Request Tracker up and resolves when it answers. */
export async function startServer(options: RequestTrackerOptions): Promise<Server> {
  if (!await exists(SERVER)) {
    throw new Error(
      "Request Tracker 5 is not installed: run tests/request_tracker/install.sh as root",
    );
  }
  const port = availablePort(options.port ?? 0);
  const directory = await Deno.makeTempDir({ prefix: "request-tracker-" });
  const agentPassword = crypto.randomUUID();
  const env = {
    RT_DIRECTORY: directory,
    RT_PORT: String(port),
    RT_BCRYPT_COST: String(options.bcryptCost ?? 4),
    RT_AGENT_PASSWORD: agentPassword,
    RT_SENDS_MAIL: options.sendsMail ? "1" : "",
    RT_SITE_CONFIG: `${import.meta.dirname}/RT_SiteConfig.pm`,
    RT_SITE_CONFIG_DIR: "/dev/null",
  };
  const process = new Deno.Command("bash", {
    args: [`${import.meta.dirname}/run.sh`],
    env,
    stdin: "piped",
    stdout: "null",
  }).spawn();
  const end = async () => {
    await process.stdin.close();
    await process.status;
  };
  try {
    const url = `http://${HOST}:${port}`;
    const token = await ready(url, directory, process);
    const pid = Number(await Deno.readTextFile(`${directory}/pid`));
    return { url, token, agentPassword, directory, pid, env, end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** Waits until the server answers to its own token (another one may have the port), returns that. */
async function ready(url: string, directory: string, process: Deno.ChildProcess): Promise<string> {
  let ended = false;
  process.status.then(() => ended = true);
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline;) {
    if (ended) throw new Error(`Request Tracker did not start at ${url}: its log is above`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    if (!await exists(`${directory}/token`)) continue;
    const token = (await Deno.readTextFile(`${directory}/token`)).trim();
    try {
      const response = await fetch(`${url}/REST/2.0/rt`, {
        headers: { authorization: `token ${token}` },
        signal: AbortSignal.timeout(5000),
      });
      await response.body?.cancel();
      if (response.ok) return token;
    } catch {
      // It does not listen yet.
    }
  }
  throw new Error(`Request Tracker did not answer at ${url} within ${READY_WITHIN_MS / 1000} s`);
}

/** A free port for 0; otherwise this port, or `Deno.errors.AddrInUse` where it is taken. */
function availablePort(port: number): number {
  using listener = Deno.listen({ hostname: HOST, port });
  return listener.addr.port;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
