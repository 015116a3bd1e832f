/** Hexadecimal digits: 64 bits, so that two actors of one service do not collide. */
const LENGTH = 16;

/**
 * Returns a function that hashes an actor's ID for the log, so that abuse can be traced to one actor
 * without naming a person. The hash is keyed, so that guessed IDs cannot be confirmed. The key is
 * derived from `secret`, so that all instances agree, also after a restart; without a secret it is
 * random, and the hash is stable within this process only.
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
