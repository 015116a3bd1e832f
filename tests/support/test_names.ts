import { ROOT } from "./process.ts";

/**
 * Returns patterns of the names of the tests in a file, `tests/…_test.ts`. A placeholder of a template
 * matches any text.
 *
 * @throws if there is no such file.
 */
export async function testNames(path: string): Promise<RegExp[]> {
  const source = await Deno.readTextFile(new URL(path, ROOT));
  const names = source.matchAll(/(?:Deno\.test\(|\bname:)\s*(?:"([^"]+)"|`((?:[^`\\]|\\.)+)`)/g);
  return names.map(([, name, template]) => {
    const parts = (name ?? template!).split(/\$\{(?:[^{}]|\{[^}]*\})*\}/).map(RegExp.escape);
    return new RegExp(`^${parts.join(".+")}$`);
  }).toArray();
}
