/** A copy of what the task `config` needs, with a `.env` of its own. */
export interface Project extends AsyncDisposable {
  folder: string;
  /** Runs a task with a clean environment and `env`. */
  task(args: string[], env?: Record<string, string>): Promise<TaskOutput>;
}

export interface TaskOutput {
  code: number;
  stdout: string;
  stderr: string;
}

const ROOT = new URL("../../../", import.meta.url);

export async function createProject(dotEnv?: string): Promise<Project> {
  const folder = await Deno.makeTempDir();
  const copied = await new Deno.Command("cp", {
    args: ["-r", "deno.json", "deno.lock", "config", ".env.example", folder],
    cwd: ROOT,
  }).output();
  if (!copied.success) throw new Error(new TextDecoder().decode(copied.stderr));
  if (dotEnv !== undefined) await Deno.writeTextFile(`${folder}/.env`, dotEnv, { mode: 0o600 });
  const { HOME = "", PATH = "", DENO_DIR = "" } = Deno.env.toObject();

  async function task(args: string[], env: Record<string, string> = {}): Promise<TaskOutput> {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["task", "--quiet", "--node-modules-dir=manual", ...args],
      cwd: folder,
      clearEnv: true,
      env: { HOME, PATH, ...DENO_DIR !== "" && { DENO_DIR }, NO_COLOR: "1", ...env },
    }).output();
    const decoder = new TextDecoder();
    return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  }

  return {
    folder,
    task,
    [Symbol.asyncDispose]: () => Deno.remove(folder, { recursive: true }),
  };
}
