import dashboard from "../../../config/deploy/monitoring/dashboard.json" with { type: "json" };

export const ROOT = new URL("../../../", import.meta.url);
export const MONITORING = "config/deploy/monitoring";

export interface Alert {
  name: string;
  expression: string;
  runbook: string;
}

export function readFile(path: string): Promise<string> {
  return Deno.readTextFile(new URL(path, ROOT));
}

/** Returns the alerts of alerts.yml, whose form `promtool` checks. */
export async function readAlerts(): Promise<Alert[]> {
  const [, ...alerts] = (await readFile(`${MONITORING}/alerts.yml`)).split(/^ *- alert: /m);
  return alerts.map((text) => ({
    name: /^\w+/.exec(text)![0],
    expression: /expr: >-\n([^]*?)\n {8}\w/.exec(text)![1]!.replaceAll(/\s+/g, " ").trim(),
    runbook: /runbook: (\S+)/.exec(text)![1]!,
  }));
}

/** Returns the queries of the dashboard, with its variables filled in. */
export function readQueries(): string[] {
  const panels: { targets?: { expr: string }[] }[] = dashboard.panels;
  const variables: { definition?: string }[] = dashboard.templating.list;
  return [
    ...panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr)),
    ...variables.flatMap(({ definition }) => definition ?? []),
  ].map((query) => query.replaceAll("$__rate_interval", "1m").replaceAll(/\$\w+/g, ".*"));
}
