/** A metric that a PromQL expression names. */
export interface NamedMetric {
  metric: string;
  /** The label names of its selector, and of the `by` clauses of the whole expression. */
  labels: string[];
  /** The values that its selector compares labels with; of regular expressions, the plain words. */
  values: [label: string, value: string][];
}

const FUNCTIONS =
  /^(absent|histogram_quantile|increase|label_values|max|offset|or|rate|sum|unless|vector)$/;

/** Returns the metrics that an expression names. Understands what rules and dashboard use. */
export function namedMetrics(expression: string): NamedMetric[] {
  const by: string[] = [];
  const rest = expression
    .replaceAll(/\bby \(([^)]*)\)/g, (_, labels) => {
      by.push(...labels.split(",").map((label: string) => label.trim()));
      return "";
    })
    .replace(/^(label_values\(.*), (\w+)\)$/, (_, before, label) => {
      by.push(label);
      return `${before})`;
    })
    .replaceAll(/\[\w+\]/g, "");
  const found: NamedMetric[] = [];
  for (const [, metric, selector = ""] of rest.matchAll(/(?<![\w."])([a-z_]\w*)(\{[^}]*\})?/gi)) {
    if (FUNCTIONS.test(metric!)) continue;
    const matchers = selector.matchAll(/(\w+)(=~|!~|!=|=)"([^"]*)"/g).toArray();
    found.push({
      metric: metric!,
      labels: [...matchers.map(([, label]) => label!), ...by],
      values: matchers.flatMap(([, label, , text]) =>
        text!.split("|").filter((value) => /^\w+$/.test(value))
          .map((value): [string, string] => [label!, value])
      ),
    });
  }
  return found;
}

/** Returns the name of a metric as the OpenTelemetry Collector writes it for Prometheus. */
export function prometheusName(name: string, unit: string, isCounter: boolean): string {
  // Deno has the unit "S" for seconds of garbage collection, which the Collector leaves as it is.
  const suffix = { s: "_seconds", By: "_bytes", S: "_S" }[unit] ?? "";
  return `${name.replaceAll(".", "_")}${suffix}${isCounter ? "_total" : ""}`;
}
