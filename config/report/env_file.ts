import { parseEnv } from "node:util";

export type Quoting = "none" | "single" | "double" | "backtick";

/** One `NAME=value` of a `.env` file. */
export interface Assignment {
  name: string;
  /** The value as written, without its quotes. */
  raw: string;
  quoting: Quoting;
  line: number;
}

/** What {@linkcode readEnvFile} found in the text of a `.env` file. */
export interface EnvFile {
  hasByteOrderMark: boolean;
  hasCarriageReturns: boolean;
  assignments: Assignment[];
  /** Numbers of the lines that are neither assignments nor comments, and that Deno ignores. */
  ignoredLines: number[];
  /** The names that are set, as `node:util` parses the file. */
  names: Set<string>;
}

const BYTE_ORDER_MARK = "\uFEFF";

const ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?([\w.]+)[ \t]*=[ \t]*('[^']*'|"(?:\\[^]|[^"\\])*"|`[^`]*`|[^\r\n]*)[^\r\n]*$/gm;

const QUOTING: Record<string, Quoting> = { "'": "single", '"': "double", "`": "backtick" };

/**
 * Reads the text of a `.env` file as far as warnings need it. The values that count are Deno's own,
 * in the process's environment; this function never replaces them.
 */
export function readEnvFile(text: string): EnvFile {
  const hasByteOrderMark = text.startsWith(BYTE_ORDER_MARK);
  const body = hasByteOrderMark ? text.slice(1) : text;
  const assignments: Assignment[] = [];
  let rest = "";
  let end = 0;
  for (const match of body.matchAll(ASSIGNMENT)) {
    const [whole, name, written] = match as unknown as [string, string, string];
    const quoting = QUOTING[written[0] ?? ""] ?? "none";
    const isClosed = quoting !== "none" && written.length > 1 && written.endsWith(written[0]!);
    assignments.push({
      name,
      raw: isClosed ? written.slice(1, -1) : written.trim(),
      quoting: isClosed ? quoting : "none",
      line: lineOf(body, match.index),
    });
    rest += body.slice(end, match.index) + "\n".repeat(whole.split("\n").length - 1);
    end = match.index + whole.length;
  }
  rest += body.slice(end);
  const ignoredLines = rest.split("\n").flatMap((line, index) =>
    /^\s*(#|$)/.test(line) ? [] : [index + 1]
  );
  return {
    hasByteOrderMark,
    hasCarriageReturns: text.includes("\r"),
    assignments,
    ignoredLines,
    names: new Set(Object.keys(parseEnv(text))),
  };
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
