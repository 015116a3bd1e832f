/** Hexadecimal digits: enough that two actors of one service do not collide. */
const LENGTH = 16;

/**
 * Returns a function that hashes an actor's id for the log, so that abuse can be traced to one actor
 * without naming anybody. The key makes it useless to hash guessed ids: it is derived from
 * `secret`, which only those know who can sign tokens anyway, so that all instances and restarts
 * agree; without a secret it is random, and holds for this process.
 */
export function createActorHash(secret: string | undefined): (id: string) => Promise<string> {
  const seed = secret === undefined
    ? crypto.getRandomValues(new Uint8Array(32))
    : new TextEncoder().encode(secret);
  let key: Promise<CryptoKey> | undefined;
  return async (id) => {
    key ??= deriveKey(seed);
    return (await sign(await key, id)).toHex().slice(0, LENGTH);
  };
}

async function deriveKey(seed: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return await hmacKey(await sign(await hmacKey(seed), "deskhand: hash of actors in the log"));
}

function hmacKey(bytes: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  return crypto.subtle.importKey("raw", bytes, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
}

async function sign(key: CryptoKey, text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(text)));
}
