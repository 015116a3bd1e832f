/** A value, or the rules that the text breaks. */
export type Parsed<T> = { success: true; data: T } | {
  success: false;
  data?: undefined;
  rules: string[];
};

interface Check {
  isMet(text: string): boolean;
  rule: string;
}

/**
 * A variable of the environment: how its text is parsed, and its default. This is the part of zod that
 * the configuration needs. Loading zod and building these schemas takes 20 ms, which is as long as Deno
 * takes to start, and the first response waits for it; everything else is parsed with zod.
 *
 * A rule begins with "must", and is reported without the value.
 *
 * @example
 * ```ts
 * const PORT = text().matching(/^\d+$/, "must be a number").transform(Number).default(8000);
 * PORT.safeParse("80"); // { success: true, data: 80 }
 * ```
 */
export class Variable<T> {
  readonly #parse: (text: string) => Parsed<T>;

  constructor(parse: (text: string) => Parsed<T>) {
    this.#parse = parse;
  }

  /** Parses the text of a variable that is set. */
  safeParse(text: string | undefined): Parsed<T> {
    return text === undefined ? { success: false, rules: ["must be set"] } : this.#parse(text);
  }

  /** Accepts an unset variable, as undefined. */
  optional(): Variable<T | undefined> {
    return new Defaulted<T | undefined>(this.#parse, undefined);
  }

  /** Accepts an unset variable, as `value`. */
  default(value: T): Variable<T> {
    return new Defaulted(this.#parse, value);
  }
}

/** A variable that may be unset. */
class Defaulted<T> extends Variable<T> {
  readonly #value: T;

  constructor(parse: (text: string) => Parsed<T>, value: T) {
    super(parse);
    this.#value = value;
  }

  override safeParse(text: string | undefined): Parsed<T> {
    return text === undefined ? { success: true, data: this.#value } : super.safeParse(text);
  }
}

/** A variable whose value is its text. */
class TextVariable extends Variable<string> {
  readonly #checks: readonly Check[];

  constructor(checks: readonly Check[]) {
    super((text) => {
      const rules = checks.filter(({ isMet }) => !isMet(text)).map(({ rule }) => rule);
      return rules.length === 0 ? { success: true, data: text } : { success: false, rules };
    });
    this.#checks = checks;
  }

  /** Adds a rule. All broken rules are reported. */
  check(isMet: (text: string) => boolean, rule: string): TextVariable {
    return new TextVariable([...this.#checks, { isMet, rule }]);
  }

  /** Adds the rule that the text matches a pattern. */
  matching(pattern: RegExp, rule: string): TextVariable {
    return this.check((text) => pattern.test(text), rule);
  }

  /** Adds the rule that the text has at most `length` UTF-16 units. */
  maxLength(length: number): TextVariable {
    return this.check((text) => text.length <= length, `must be at most ${length} characters`);
  }

  /** Converts the text if it meets all rules so far. */
  transform<T>(convert: (text: string) => T): Variable<T> {
    return this.pipe((text) => ({ success: true, data: convert(text) }));
  }

  /** Parses the text if it meets all rules so far. */
  pipe<T>(parse: (text: string) => Parsed<T>): Variable<T> {
    return new Variable((text) => {
      const checked = this.safeParse(text);
      return checked.success ? parse(text) : checked;
    });
  }
}

/** Creates a variable whose value is its text. */
export function text(): TextVariable {
  return new TextVariable([]);
}

/** Creates a variable that is a whole number. */
export function integer(min: number, max: number): Variable<number> {
  const isInRange = (text: string) => Number(text) >= min && Number(text) <= max;
  return text().check(
    (text) => /^\d{1,9}$/.test(text) && isInRange(text),
    `must be a whole number from ${min} to ${max}`,
  ).transform(Number);
}

/** Creates a variable that is one of a few words. */
export function oneOf<const T extends string>(words: readonly T[], rule: string): Variable<T> {
  return text().pipe((text) => {
    const data = words.find((word) => word === text);
    return data === undefined ? { success: false, rules: [rule] } : { success: true, data };
  });
}
