import { configure, getConsoleSink, getJsonLinesFormatter, getLogger } from "@logtape/logtape";

/** Sends log lines of `level` and above to the console, one JSON object a line. */
export async function openLog(level: "debug" | "info" | "warn" | "error") {
  await configure({
    sinks: {
      console: getConsoleSink({ formatter: getJsonLinesFormatter({ properties: "flatten" }) }),
    },
    loggers: [
      {
        category: "deskhand",
        lowestLevel: level === "warn" ? "warning" : level,
        sinks: ["console"],
      },
      { category: ["logtape", "meta"], lowestLevel: "warning", sinks: ["console"] },
    ],
  });
  return getLogger("deskhand");
}
