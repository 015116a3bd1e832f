import { assertEquals } from "@std/assert";
import { MAX_BODY_BYTES } from "../../routes/http/json_body.ts";
import { PROBLEMS } from "../../routes/http/problems.ts";
import readme from "../../routes/README.md" with { type: "text" };

Deno.test("routes/README.md lists every problem type with its status", () => {
  const rows = [...readme.matchAll(/^\| `([a-z-]+)` +\| (\d{3}) /gm)];
  const listed = rows.map(([, slug, status]) => [slug, Number(status)]);
  const expected = Object.entries(PROBLEMS).map(([slug, [status]]) => [slug, status]);
  assertEquals(listed.sort(), expected.sort());
});

Deno.test("routes/README.md names only files that exist", async () => {
  const paths = [...readme.matchAll(/`((?:[a-z_0-9]+\/)*[a-z_0-9]+\.ts)`/g)].map(([, path]) =>
    path!
  );
  const folders = ["", "routes/", "routes/auth/", "routes/openapi/"];
  for (const path of new Set(paths)) {
    const found = await Promise.allSettled(
      folders.map((folder) => Deno.stat(new URL(`../../${folder}${path}`, import.meta.url))),
    );
    assertEquals(found.some(({ status }) => status === "fulfilled"), true, path);
  }
});

Deno.test("routes/README.md states the size limit of a body", () => {
  assertEquals(readme.includes(`${MAX_BODY_BYTES / 1024} KiB`), true);
});
