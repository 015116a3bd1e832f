/** `deno task lint:openapi`: lints the OpenAPI document with Spectral. Needs npx. */
import { VERSION } from "../../config/version.ts";
import { openApiDocument } from "../../routes/openapi/document.ts";

const document = await Deno.makeTempFile({ prefix: "deskhand-", suffix: ".json" });
try {
  await Deno.writeTextFile(document, JSON.stringify(openApiDocument(VERSION), null, 2));
  const spectral = new Deno.Command("npx", {
    args: [
      "-y",
      "@stoplight/spectral-cli@6.16.3",
      "lint",
      document,
      `--ruleset=${new URL("spectral.yaml", import.meta.url).pathname}`,
      "--fail-severity=hint",
    ],
  });
  Deno.exitCode = (await spectral.spawn().status).code;
} finally {
  await Deno.remove(document);
}
