/** Finds the KV Connect server `denokv`. As a program, it prints how to install it. */

/** Returns the path of `denokv`: from the variable `DENOKV`, `PATH`, or cargo's folder. */
export async function findServer(): Promise<string> {
  const { DENOKV, PATH = "", HOME = "" } = Deno.env.toObject();
  const folders = [...PATH.split(":"), `${HOME}/.cargo/bin`];
  const places = DENOKV ? [DENOKV] : folders.map((folder) => `${folder}/denokv`);
  for (const place of places) {
    const found = await Deno.stat(place).catch(() => null);
    if (found?.isFile) return place;
  }
  throw new Error(
    `The KV Connect server denokv is not installed (searched ${DENOKV || "PATH, ~/.cargo/bin"}): ` +
      "run tests/kv_connect/install.sh, or set DENOKV to its path",
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
