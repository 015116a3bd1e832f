import { text } from "./variable.ts";

const PRIORITIES_RULE =
  "must list each severity at most once with a number, such as low:10,normal:30,high:60,critical:90";

/** Parses `SUPPORT_DESK_PRIORITIES`. Rejects a repeated severity, so that no entry is ignored. */
export const Priorities = text().pipe<Record<string, number>>((list) => {
  const pairs = list.split(",").map((pair) =>
    /^\s*(low|normal|high|critical)\s*:\s*(\d{1,6})\s*$/.exec(pair)
  );
  const severities = new Set(pairs.map((pair) => pair?.[1]));
  if (pairs.includes(null) || severities.size < pairs.length) {
    return { success: false, rules: [PRIORITIES_RULE] };
  }
  const data = Object.fromEntries(pairs.map((pair) => [pair![1], Number(pair![2])]));
  return { success: true, data };
});
