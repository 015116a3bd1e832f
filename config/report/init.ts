/** Bytes of a generated secret. */
const SECRET_BYTES = 48;
/** The line that the secret replaces, commented out or not. */
const EMPTY_SECRET = /^#?AUTH_SECRET=[ \t]*(?=\r?$)/m;
const SETS_ISSUER = /^[ \t]*AUTH_JWKS_URL=[ \t]*\S/m;
const SETS_SECRET = /^[ \t]*(?:export[ \t]+)?AUTH_SECRET[ \t]*=[ \t]*\S/m;
/** Secrets are for the owner alone. */
const MODE = 0o600;

/**
 * Creates `.env` from the text of `.env.example`, with a generated `AUTH_SECRET` and mode 0600. If
 * `.env` exists, fills in `AUTH_SECRET` only if it is empty, and never overwrites a value. Returns
 * what it did, in a sentence.
 *
 * @param path The file to create.
 * @param example The file to copy.
 */
export async function initEnvFile(path: string, example: string): Promise<string> {
  let text: string;
  try {
    text = withSecret(await Deno.readTextFile(example));
    await Deno.writeTextFile(path, text, { createNew: true, mode: MODE });
    return `Created ${path} with a generated AUTH_SECRET and mode 0600`;
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  text = await Deno.readTextFile(path);
  if (SETS_SECRET.test(text) || SETS_ISSUER.test(text)) {
    return `${path} already sets AUTH_SECRET or AUTH_JWKS_URL: nothing was changed`;
  }
  await Deno.chmod(path, MODE);
  await Deno.writeTextFile(path, withSecret(text));
  return `Set a generated AUTH_SECRET in ${path}, and its mode to 0600; nothing else was changed`;
}

function withSecret(text: string): string {
  const line = `AUTH_SECRET=${generateSecret()}`;
  if (EMPTY_SECRET.test(text)) return text.replace(EMPTY_SECRET, () => line);
  return `${text}${text === "" || text.endsWith("\n") ? "" : "\n"}${line}\n`;
}

/** Returns random letters, digits, `-` and `_`, which no reader of `.env` files changes. */
function generateSecret(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(SECRET_BYTES));
  return bytes.toBase64({ alphabet: "base64url", omitPadding: true });
}
