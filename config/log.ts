/** Maximum time that a line is buffered, in milliseconds. */
const FLUSH_INTERVAL_MS = 50;
/** Number of lines of a process that are written immediately: its start has two. */
const IMMEDIATE_LINES = 4;
/** Number of buffered lines, each of about 250 characters, that forces a flush. */
const MAX_BUFFERED_LINES = 64;

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

/** What a line is made of. */
interface Entry {
  level: Level;
  event: string;
  message: string;
  /** Milliseconds since the epoch. */
  at: number;
  fields?: Fields;
}

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
  const writeNow = (entries: Entry[]) => toConsole(entries, hasPriorities);
  const write = isBatched ? batched(writeNow) : (entry: Entry) => writeNow([entry]);
  const at = (level: Level): WriteFields => (event, message, fields) =>
    write({ level, event, message, at: now(), fields });
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

function toLine({ level, event, message, at, fields }: Entry): string {
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
 * Writes entries of one level with the console's method of that level, from which Deno's OpenTelemetry
 * exporter takes the log records and their severity. Drops lines that cannot be written (a full disk, a
 * pipe that nobody reads): logging must never fail a request.
 */
function toConsole(entries: Entry[], hasPriorities: boolean): void {
  const { level } = entries[0]!;
  const prefix = hasPriorities ? JOURNALD_PRIORITIES[level] : "";
  try {
    console[level](entries.map((entry) => prefix + toLine(entry)).join("\n"));
  } catch {
    // There is nowhere to report it.
  }
}

/**
 * Returns a function that buffers entries, so that a response does not wait for the lines before it: a
 * line takes 4 µs to format, a write 16 to 28 µs, and a submission has two lines. The first ones are
 * written in the next turn of the event loop, and those that follow within 50 ms, together: a write for
 * each takes 11 % more of the CPU (64 connections). An error is flushed immediately, and the buffer is
 * flushed when the process ends, except by SIGKILL.
 *
 * The first lines of a process are not buffered, because its first timer takes Deno 5 ms, a tenth of a
 * start.
 */
function batched(write: (entries: Entry[]) => void): (entry: Entry) => void {
  let immediateLines = IMMEDIATE_LINES;
  let buffered: Entry[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;

  function flush(): void {
    const entries = buffered;
    buffered = [];
    if (entries.length > 0) write(entries);
  }

  function onFlushTimer(): void {
    timer = buffered.length > 0 ? setTimeout(onFlushTimer, FLUSH_INTERVAL_MS) : undefined;
    flush();
  }

  for (const end of ["unload", "error", "unhandledrejection"]) addEventListener(end, flush);
  return (entry) => {
    if (immediateLines > 0) {
      immediateLines--;
      return write([entry]);
    }
    // Each level has its own console method, so a batch holds lines of one level only.
    if (buffered[0] !== undefined && buffered[0].level !== entry.level) flush();
    buffered.push(entry);
    if (buffered.length < MAX_BUFFERED_LINES && entry.level !== "error") {
      timer ??= setTimeout(onFlushTimer);
    } else {
      flush();
    }
  };
}
