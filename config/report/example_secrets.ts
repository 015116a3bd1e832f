/** Words of examples and placeholders; one in 100,000 random values of 64 characters has one. */
const EXAMPLE_WORDS =
  /example|change.?(me|it|this)|replace.?(me|it|this)|placeholder|secret|password|passwort|your.?(own|auth|token|key)|dummy|sample|openssl|insert|x{6}|tests?\b|token|qwert/i;

/** A random value of 32 hexadecimal digits has 14 different ones on average. */
const MIN_DISTINCT_CHARACTERS = 8;
const MIN_RUN = 8;

/**
 * Whether a secret looks like an example, a placeholder or a value typed by hand: it has a word that
 * examples have, few different characters, or a long run such as `12345678` or `abcdefgh`.
 */
export function looksLikeExample(secret: string): boolean {
  if (secret === "") return false;
  if (EXAMPLE_WORDS.test(secret)) return true;
  if (secret.length >= 16 && new Set(secret).size < MIN_DISTINCT_CHARACTERS) return true;
  return longestRun(secret) >= MIN_RUN || isRepeated(secret);
}

/** Returns the length of the longest run of consecutive character codes. */
function longestRun(text: string): number {
  let longest = 1;
  let run = 1;
  for (let index = 1; index < text.length; index++) {
    run = text.charCodeAt(index) === text.charCodeAt(index - 1) + 1 ? run + 1 : 1;
    longest = Math.max(longest, run);
  }
  return longest;
}

/** Whether the text is a shorter one, repeated. */
function isRepeated(text: string): boolean {
  return text.length >= 8 && (text + text).indexOf(text, 1) < text.length;
}
