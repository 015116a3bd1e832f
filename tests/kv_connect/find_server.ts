/** Finds the KV Connect server `denokv`. As a program, it says how to install what is missing. */

/** Where `denokv` is: the variable `DENOKV`, or in `PATH`, or where cargo installs it. */
export async function findServer(): Promise<string> {
  const { DENOKV, PATH = "", HOME = "" } = Deno.env.toObject();
  const folders = [...PATH.split(":"), `${HOME}/.cargo/bin`];
  const places = DENOKV ? [DENOKV] : folders.map((folder) => `${folder}/denokv`);
  for (const place of places) {
    const found = await Deno.stat(place).catch(() => null);
    if (found?.isFile) return place;
  }
  throw new Error(
    `The KV Connect server denokv is not installed (looked at ${
      DENOKV || "PATH, ~/.cargo/bin"
    }): ` +
      "run tests/kv_connect/install.sh, or set DENOKV to where it is",
  );
}

if (import.meta.main) {
  try {
    await findServer();
  } catch (error) {
    console.error((error as Error).message);
    Deno.exitCode = 1;
  }
}
