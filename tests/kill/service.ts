const ROOT = new URL("../..", import.meta.url).pathname;

/** The real service as a process of its own. */
export interface ServiceProcess {
  url: string;
  /** Kills it with SIGKILL. */
  kill(): Promise<void>;
  /** Stops it with SIGTERM. */
  stop(): Promise<void>;
}

/** Starts `main.ts` with the permissions of the task `serve`, on a free port. */
export async function startService(
  kvPath: string,
  env: Record<string, string>,
): Promise<ServiceProcess> {
  const { tasks } = JSON.parse(await Deno.readTextFile(`${ROOT}/deno.json`));
  const [, ...args] = tasks.serve.command.replaceAll("$KV_PATH", kvPath).split(" ");
  const child = new Deno.Command(Deno.execPath(), {
    args,
    cwd: ROOT,
    env: { ...env, KV_PATH: kvPath, PORT: "0" },
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const listening = Promise.withResolvers<string>();
  // Read to its end: a service whose output is not read stalls.
  const output = readLines(child.stdout, (line) => {
    const address = /"address":"(http:[^"]+)"/.exec(line)?.[1];
    if (address !== undefined) listening.resolve(address);
  }).then(() => listening.reject(new Error("The service ended before it listened")));
  listening.promise.catch(() => {});

  const end = async (signal: Deno.Signal) => {
    child.kill(signal);
    await Promise.all([child.status, output]);
  };
  const url = await listening.promise;
  return { url, kill: () => end("SIGKILL"), stop: () => end("SIGTERM") };
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  use: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop()!;
    lines.forEach(use);
  }
}
