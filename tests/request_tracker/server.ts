/** Starts and ends the processes of a Request Tracker. */

const SERVER = "/usr/share/request-tracker5/libexec/rt-server";
const HOST = "127.0.0.1";
const READY_WITHIN_MS = 120_000;

export interface RequestTrackerOptions {
  /** The port to listen on; a free one by default. */
  port?: number;
  /** 4 by default, for speed. The default of RT is 12, with which checking a token takes 250 ms. */
  bcryptCost?: number;
  /** Whether Request Tracker's own notifications are enabled. Mail is written to a file. */
  sendsMail?: boolean;
}

export interface Server {
  url: string;
  token: string;
  agentPassword: string;
  directory: string;
  /** The ID of the main process and of the process group. */
  pid: number;
  /** The environment of a program that works on the same Request Tracker. */
  env: Record<string, string>;
  /** Ends every process, paused or not, and removes the directory. */
  end(): Promise<void>;
}

/** Sets up a Request Tracker; resolves when it responds. */
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

/** Returns the token once the server accepts it: another server could have taken the port. */
async function ready(url: string, directory: string, process: Deno.ChildProcess): Promise<string> {
  let ended = false;
  process.status.then(() => ended = true);
  for (const deadline = Date.now() + READY_WITHIN_MS; Date.now() < deadline;) {
    if (ended) throw new Error(`Cannot start Request Tracker at ${url}: see its log above`);
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
      // The server does not listen yet.
    }
  }
  throw new Error(`Request Tracker did not respond at ${url} within ${READY_WITHIN_MS / 1000} s`);
}

/** Returns a free port for 0, and otherwise this port. Throws `Deno.errors.AddrInUse` if taken. */
function availablePort(port: number): number {
  using listener = Deno.listen({ hostname: HOST, port });
  return listener.addr.port;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}
