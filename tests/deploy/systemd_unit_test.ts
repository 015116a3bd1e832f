import { assert, assertEquals } from "@std/assert";
import configuration from "../../deno.json" with { type: "json" };

const UNIT = new URL("../../config/deploy/deskhand.service", import.meta.url).pathname;
/** In tenths, from 0 (best) to 100. */
const MAX_EXPOSURE = 15;

Deno.test("the systemd unit has an exposure of at most 1.5", async () => {
  const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", {
    args: ["security", "--no-pager", "--offline=yes", `--threshold=${MAX_EXPOSURE}`, UNIT],
    env: { LC_ALL: "C.UTF-8" },
  }).output();
  const [out, complaints] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
  assertEquals(code, 0, out + complaints!);
  assertEquals(complaints, ""); // such as an unknown setting, which systemd ignores
});

Deno.test("the systemd unit runs a task that exists, in a folder that exists for it", async () => {
  const text = await Deno.readTextFile(UNIT);
  const command = /^ExecStart=(.+)$/m.exec(text)![1]!.split(" ");
  assert(command.at(-1)! in configuration.tasks, command.join(" "));
  for (const name of ["StateDirectory", "CacheDirectory"]) {
    assertEquals(new RegExp(`^${name}=(.+)$`, "m").exec(text)?.[1], "deskhand");
  }
});
