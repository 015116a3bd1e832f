import { parseEnv } from "node:util";

type Quoting = "none" | "single" | "double" | "backtick";

/** One `NAME=value` of a `.env` file. */
export interface Assignment {
  name: string;
  /** The value as written, without its quotes and without a comment. */
  raw: string;
  quoting: Quoting;
  line: number;
  /** Whether the value ends at a `#` that has no blank in front of it: probably part of the value. */
  isCut: boolean;
  /** Whether characters follow the closing quote, which Deno ignores. */
  hasTail: boolean;
  /** Whether only blanks follow the `=`: Deno then uses the next line as the value. */
  takesNextLine: boolean;
}

/** What {@linkcode readEnvFile} found in the text of a `.env` file. */
export interface EnvFile {
  hasByteOrderMark: boolean;
  hasCarriageReturns: boolean;
  assignments: Assignment[];
  /** Numbers of the lines that are neither assignments nor comments. */
  otherLines: number[];
  /** The names that are set, as `node:util` parses the file. */
  names: Set<string>;
}

const BYTE_ORDER_MARK = "\uFEFF";

/** A name, the blanks after `=`, a value in quotes or nothing, and the rest of the line. */
const ASSIGNMENT =
  /^[ \t]*(?:export[ \t]+)?([\w.]+)[ \t]*=([ \t]*)('[^']*'|"(?:\\[^]|[^"\\])*"|`[^`]*`|)([^\r\n]*)\r?$/gm;

const QUOTING: Record<string, Quoting> = { "'": "single", '"': "double", "`": "backtick" };

/**
 * Reads the text of a `.env` file as far as warnings need it. The values that count are Deno's own,
 * in the process's environment; this function never replaces them.
 */
export function readEnvFile(text: string): EnvFile {
  const hasByteOrderMark = text.startsWith(BYTE_ORDER_MARK);
  const body = hasByteOrderMark ? text.slice(1) : text;
  const matches = body.matchAll(ASSIGNMENT).toArray();
  // Keeps the line breaks, so that lines have their numbers.
  const others = body.replaceAll(ASSIGNMENT, (whole) => whole.replaceAll(/[^\n]/g, ""));
  return {
    hasByteOrderMark,
    hasCarriageReturns: text.includes("\r"),
    assignments: matches.map((match) => toAssignment(match, lineOf(body, match.index))),
    otherLines: others.split("\n").flatMap((line, index) =>
      /^\s*(#|$)/.test(line) ? [] : [index + 1]
    ),
    names: new Set(Object.keys(parseEnv(text))),
  };
}

function toAssignment([, name, gap, quoted, tail]: RegExpExecArray, line: number): Assignment {
  const rest = tail!.trim();
  if (quoted !== "") {
    return {
      name: name!,
      raw: quoted!.slice(1, -1),
      quoting: QUOTING[quoted![0]!]!,
      line,
      isCut: false,
      hasTail: rest !== "" && !rest.startsWith("#"),
      takesNextLine: false,
    };
  }
  const end = tail!.indexOf("#");
  const value = end === -1 ? tail! : tail!.slice(0, end);
  return {
    name: name!,
    raw: value.trim(),
    quoting: "none",
    line,
    isCut: end !== -1 && !/[ \t]$/.test(gap + value),
    hasTail: false,
    takesNextLine: gap !== "" && tail === "",
  };
}

function lineOf(text: string, index: number): number {
  return text.slice(0, index).split("\n").length;
}
