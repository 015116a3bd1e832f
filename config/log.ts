/** Maximum time that a line is buffered, in milliseconds. */
const FLUSH_INTERVAL_MS = 50;
/** Number of lines of a process that are written immediately: its start has two. */
const IMMEDIATE_LINES = 4;
/** Number of buffered characters that forces a flush. */
const MAX_BUFFERED_CHARS = 16 * 1024;

/** Log levels in ascending order, with their names in the output. */
const LEVELS = { debug: "DEBUG", info: "INFO", warn: "WARNING", error: "ERROR" };
type Level = keyof typeof LEVELS;

/** What journald reads at the start of a line, and removes: see sd-daemon(3). */
const JOURNALD_PRIORITIES: Record<Level, string> = {
  debug: "<7>",
  info: "<6>",
  warn: "<4>",
  error: "<3>",
};

type Fields = Record<string, string | number | undefined>;

type WriteFields = (event: string, message: string, fields?: Fields) => void;

export interface LogOptions {
  /** Lines below this level are dropped. */
  level: Level;
  /** Whether lines may be buffered and written in batches. */
  isBatched: boolean;
  /** Whether each line starts with journald's priority of its level. */
  hasPriorities?: boolean;
}

/** What {@linkcode openLog} returns. */
export type ConsoleLog = Record<Level, WriteFields>;

type Write = (level: Level, line: string) => void;

/**
 * Returns a log that writes one JSON object per line to the console. Written here because a line of
 * a logging library cost six times as much, which was a quarter of the cost of a submission.
 *
 * @param now Milliseconds since the epoch.
 */
export function openLog(
  { level, isBatched, hasPriorities = false }: LogOptions,
  now: () => number,
): ConsoleLog {
  const write = isBatched ? batched(toConsole) : toConsole;
  const at = (level: Level): WriteFields => {
    const prefix = hasPriorities ? JOURNALD_PRIORITIES[level] : "";
    return (event, message, fields) =>
      write(level, prefix + toLine(level, event, message, now(), fields));
  };
  const off = () => {};
  const names = Object.keys(LEVELS);
  const isEnabled = (name: Level) => names.indexOf(name) >= names.indexOf(level);
  return {
    debug: isEnabled("debug") ? at("debug") : off,
    info: isEnabled("info") ? at("info") : off,
    warn: isEnabled("warn") ? at("warn") : off,
    error: at("error"),
  };
}

/** The timestamp of the latest line: under load, many lines share a millisecond. */
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
 * Writes a line with the console's method of its level, from which Deno's OpenTelemetry exporter
 * takes the log records and their severity. Drops a line that cannot be written (a full disk, a
 * pipe that nobody reads): logging must never fail a request.
 */
function toConsole(level: Level, line: string): void {
  try {
    console[level](line);
  } catch {
    // There is nowhere to report it.
  }
}

/**
 * Returns a function that buffers lines, so that a response does not wait for the lines before it: a
 * write takes 16 to 28 µs, and a submission has two lines. The first ones are written in the next turn of
 * the event loop, and those that follow within 50 ms, together: a write for each takes 11 % more of the
 * CPU (64 connections). An error is flushed immediately, and the buffer is flushed when the process
 * ends, except by SIGKILL.
 *
 * The first lines of a process are not buffered, because its first timer takes Deno 5 ms, a tenth of a
 * start.
 */
function batched(write: Write): Write {
  let immediateLines = IMMEDIATE_LINES;
  let buffered: string[] = [];
  let level: Level = "info";
  let length = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    if (buffered.length > 0) write(level, buffered.join("\n"));
    buffered = [];
    length = 0;
  }

  function onFlushTimer(): void {
    timer = buffered.length > 0 ? setTimeout(onFlushTimer, FLUSH_INTERVAL_MS) : undefined;
    flush();
  }

  for (const end of ["unload", "error", "unhandledrejection"]) addEventListener(end, flush);
  return (next, line) => {
    if (immediateLines > 0) {
      immediateLines--;
      return write(next, line);
    }
    // Each level has its own console method, so a batch holds lines of one level only.
    if (next !== level) flush();
    level = next;
    buffered.push(line);
    length += line.length;
    if (length < MAX_BUFFERED_CHARS && level !== "error") {
      timer ??= setTimeout(onFlushTimer);
    } else {
      flush();
    }
  };
}
