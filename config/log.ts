/** How long a line may wait for others, in milliseconds. */
const FLUSH_INTERVAL_MS = 50;
/** Characters that are written at once, however long they have waited. */
const MAX_BUFFERED_CHARS = 16 * 1024;

/** Each level, from the least, and its name in a line. */
const LEVELS = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" };
type Level = keyof typeof LEVELS;

type Fields = Record<string, string | number | undefined>;

export interface LogOptions {
  /** Lines below it are left out. */
  level: Level;
  /** Whether lines that come at once may be written together. */
  isBatched: boolean;
}

type Write = (level: Level, line: string) => void;

/**
 * A log on the console, one JSON object a line. Our own, because a line costs a sixth of what it
 * does with a library for logs, which was a quarter of all that a submission costs.
 */
export function openLog({ level, isBatched }: LogOptions, now: () => number) {
  const write = isBatched ? batched(toConsole) : toConsole;
  const at = (level: Level) => (event: string, message: string, fields?: Fields) =>
    write(level, toLine(level, event, message, now(), fields));
  const off = () => {};
  const names = Object.keys(LEVELS);
  const isOn = (name: Level) => names.indexOf(name) >= names.indexOf(level);
  return {
    debug: isOn("debug") ? at("debug") : off,
    info: isOn("info") ? at("info") : off,
    warn: isOn("warn") ? at("warn") : off,
    error: at("error"),
  };
}

/** The time of the last line, which many others share. */
let last = { at: NaN, timestamp: "" };

function toLine(
  level: Level,
  event: string,
  message: string,
  at: number,
  fields?: Fields,
): string {
  if (last.at !== at) last = { at, timestamp: new Date(at).toISOString() };
  return JSON.stringify({
    "@timestamp": last.timestamp,
    level: LEVELS[level],
    event,
    message,
    logger: "deskhand",
    ...fields,
  });
}

/**
 * Deno's export of OpenTelemetry takes its log records from here, each with its level. A line that
 * cannot be written (a full disk, a pipe that nobody reads) is lost: it must not end a request.
 */
function toConsole(level: Level, line: string): void {
  try {
    console[level](line);
  } catch {
    // There is nowhere to say so.
  }
}

/**
 * Writes the first line at once, and those of the next moment together: under load a write for each
 * takes a good part of the thread. An error waits for nothing, and nothing is left behind at the
 * end of the process, unless it is killed.
 */
function batched(write: Write): Write {
  let waiting: string[] = [];
  let level: Level = "info";
  let length = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    if (waiting.length > 0) write(level, waiting.join("\n"));
    waiting = [];
    length = 0;
  }

  function onTime(): void {
    timer = waiting.length > 0 ? setTimeout(onTime, FLUSH_INTERVAL_MS) : undefined;
    flush();
  }

  for (const end of ["unload", "error", "unhandledrejection"]) addEventListener(end, flush);
  return (next, line) => {
    // The console writes each level in its own way, so that only lines of one go together.
    if (next !== level) flush();
    level = next;
    waiting.push(line);
    length += line.length;
    if (timer !== undefined && length < MAX_BUFFERED_CHARS && level !== "error") return;
    flush();
    timer ??= setTimeout(onTime, FLUSH_INTERVAL_MS);
  };
}
