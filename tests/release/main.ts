/** `deno task release`. See "Releasing" in .github/CONTRIBUTING.md. */
import { parseArgs } from "node:util";
import { createRelease, FOLDER, ReleaseError } from "./release.ts";

const root = new URL("../../", import.meta.url).pathname;

try {
  const { values } = parseArgs({
    options: {
      "rehearse": { type: "boolean", default: false },
      "without-packages": { type: "boolean", default: false },
      "without-image": { type: "boolean", default: false },
    },
  });
  const files = await createRelease({
    root,
    isRehearsal: values.rehearse,
    hasPackages: !values["without-packages"],
    hasImage: !values["without-image"],
    print: console.log,
  });
  for (const name of files) {
    const { size } = await Deno.stat(`${root}${FOLDER}/${name}`);
    console.log(`${FOLDER}/${name}  ${size} bytes`);
  }
} catch (error) {
  if (!(error instanceof ReleaseError || error instanceof TypeError)) throw error;
  console.error(error.message);
  Deno.exitCode = 1;
}
