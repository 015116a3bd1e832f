import { assertEquals } from "@std/assert";

const DOMAIN = new URL("../../domain/", import.meta.url);

/** What each folder of the domain may import of the others. Use cases, at the top, import all. */
const MAY_IMPORT: Record<string, string[]> = {
  model: ["digest.ts"],
  ports: ["model"],
  handoff: ["model", "ports", "dependencies.ts", "newer_record.ts"],
};

for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
  Deno.test(`domain/${folder} imports only ${allowed.join(", ")}`, async () => {
    const forbidden: string[] = [];
    for await (const { name } of Deno.readDir(new URL(`${folder}/`, DOMAIN))) {
      const source = await Deno.readTextFile(new URL(`${folder}/${name}`, DOMAIN));
      for (const [, path] of source.matchAll(/from "\.\.\/([^"]+)"/g)) {
        if (!allowed.includes(path!.split("/")[0]!)) forbidden.push(`${name} imports ${path}`);
      }
    }
    assertEquals(forbidden, []);
  });
}
