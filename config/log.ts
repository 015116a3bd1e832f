import {
  configure,
  getConsoleSink,
  getJsonLinesFormatter,
  getLogger,
  type LogRecord,
  type Sink,
} from "@logtape/logtape";

/** How long a line may wait for others, in milliseconds. */
const WAIT_MS = 50;
/** Characters that are written at once, however long they have waited. */
const MAX_WAITING = 64 * 1024;

export interface LogOptions {
  level: "debug" | "info" | "warn" | "error";
  /** Whether lines that come at once may be written together. */
  isBatched: boolean;
}

/** Sends log lines of `level` and above to the console, one JSON object a line. */
export async function openLog({ level, isBatched }: LogOptions) {
  const formatter = getJsonLinesFormatter({ properties: "flatten" });
  const sink = getConsoleSink({ formatter });
  await configure({
    sinks: { console: isBatched ? batched(sink, formatter) : sink },
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

/**
 * Writes the first line at once, and those of the next moment together: under load a write for each
 * line takes a good part of the thread. A warning waits for nothing, and nothing is left behind at
 * the end of the process, unless it is killed.
 */
function batched(sink: Sink, format: (record: LogRecord) => string): Sink {
  let waiting = "";
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    // Each line ends with a line break, and the console adds one.
    if (waiting !== "") console.info(waiting.slice(0, -1));
    waiting = "";
  }

  function onTime(): void {
    timer = waiting === "" ? undefined : setTimeout(onTime, WAIT_MS);
    flush();
  }

  addEventListener("unload", flush);
  return (record) => {
    if (record.level === "warning" || record.level === "error" || record.level === "fatal") {
      flush();
      return sink(record);
    }
    waiting += format(record);
    if (timer !== undefined && waiting.length < MAX_WAITING) return;
    flush();
    timer ??= setTimeout(onTime, WAIT_MS);
  };
}
