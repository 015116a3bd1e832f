/** Needs Debian's package prometheus. */
import { assert } from "@std/assert";

const ROOT = new URL("../../", import.meta.url);
const MONITORING = "config/deploy/monitoring";

async function promtool(...args: string[]): Promise<void> {
  const { success, stdout, stderr } = await new Deno.Command("promtool", { args, cwd: ROOT })
    .output();
  const decoder = new TextDecoder();
  assert(success, decoder.decode(stdout) + decoder.decode(stderr));
}

Deno.test("Prometheus accepts its configuration and the alerts", async () => {
  await promtool("check", "rules", `${MONITORING}/alerts.yml`);
  await promtool("check", "config", `${MONITORING}/prometheus.yml`);
});

Deno.test("alerts fire on the first event of a kind, and end when its cause has gone", async () => {
  await promtool("test", "rules", "tests/deploy/alerts_test.yml");
});
