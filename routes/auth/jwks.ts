import { base64url, importJWK, type JWK } from "jose";

/** Why keys of a set are not used, or used with a warning, for the log. */
export type KeyProblem =
  | "not_a_key"
  | "unsupported_key_type"
  | "unsupported_curve"
  | "malformed_key"
  | "rsa_key_too_short"
  | "rsa_key_too_long"
  | "private_key_published"
  | "too_many_keys";

/** A public key that can verify signatures. */
export interface VerificationKey {
  kid: string | undefined;
  /** The JWS algorithms (RFC 7518, RFC 8037) that it may be used with. */
  algorithms: readonly string[];
  /** An RSA key of less than 2,048 bits, which is never used (RFC 7518, 3.3). */
  isTooShort: boolean;
  /** Equal for equal key material. */
  material: string;
  /** Imports the key for one of its algorithms, once. */
  importFor(algorithm: string): ReturnType<typeof importJWK>;
}

export interface KeySet {
  keys: VerificationKey[];
  problems: ReadonlyMap<KeyProblem, number>;
}

/** Members of a set beyond this number are not looked at: issuers publish fewer than ten. */
const MAX_KEYS = 100;
/** Longer ones take too long to verify with. */
const MAX_RSA_BITS = 16_384;
const MIN_RSA_BITS = 2_048;

const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const EC: Record<string, string[]> = { "P-256": ["ES256"], "P-384": ["ES384"], "P-521": ["ES512"] };
const ED25519 = ["EdDSA", "Ed25519"];
/** All algorithms that a key set can be used with: none is a shared secret or `none`. */
export const KEY_SET_ALGORITHMS = [...RSA, ...Object.values(EC).flat(), ...ED25519];

/**
 * Parses a JWK Set (RFC 7517). A member that cannot be used is skipped, so that it never takes the
 * others with it (RFC 7517, 5). Returns null if `json` is no set at all.
 */
export async function parseKeySet(json: unknown): Promise<KeySet | null> {
  if (!isObject(json) || !Array.isArray(json.keys)) return null;
  const problems = new Map<KeyProblem, number>();
  const note = (problem: KeyProblem) => problems.set(problem, (problems.get(problem) ?? 0) + 1);
  if (json.keys.length > MAX_KEYS) note("too_many_keys");
  const keys = new Map<string, VerificationKey>();
  for (const member of json.keys.slice(0, MAX_KEYS)) {
    const key = readKey(member);
    if (key === null) continue;
    if (typeof key === "string") {
      note(key);
      continue;
    }
    if (key.isTooShort) note("rsa_key_too_short");
    else if (!await canVerify(key)) {
      note("malformed_key");
      continue;
    }
    if (isPrivate(member)) note("private_key_published");
    // The same key twice counts once, so that it takes the place of no other candidate.
    keys.set(JSON.stringify([key.kid, key.algorithms, key.material]), key);
  }
  return { keys: [...keys.values()], problems };
}

/** The most keys that are tried for one token. */
const MAX_CANDIDATES = 8;

/**
 * The keys that could have signed a token with this header, at most eight: those that the token
 * names, then those that have no name. A token that names none could have been signed by each.
 */
export function findCandidates(
  keys: VerificationKey[],
  { alg, kid }: { alg: string; kid?: string },
) {
  const suitable = keys.filter(({ algorithms }) => algorithms.includes(alg));
  const named = kid === undefined ? suitable : suitable.filter((key) => key.kid === kid);
  const nameless = kid === undefined ? [] : suitable.filter((key) => key.kid === undefined);
  const byMaterial = new Map([...named, ...nameless].map((key) => [key.material, key]));
  const all = [...byMaterial.values()];
  return {
    candidates: all.filter(({ isTooShort }) => !isTooShort).slice(0, MAX_CANDIDATES),
    hasTooShort: all.some(({ isTooShort }) => isTooShort),
    isNamed: kid !== undefined && named.length > 0,
  };
}

/** A key, why it is not used, or null if it is one for another purpose, which sets may have. */
function readKey(member: unknown): VerificationKey | KeyProblem | null {
  if (!isObject(member) || typeof member.kty !== "string") return "not_a_key";
  // Some issuers write null for a member that is absent.
  const [use, key_ops, alg, kid] = ["use", "key_ops", "alg", "kid"].map((name) =>
    member[name] ?? undefined
  );
  if (use !== undefined && use !== "sig") return null;
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes("verify"))) return null;
  const material = readMaterial(member);
  if (typeof material === "string") return material;
  const { jwk, isTooShort = false } = material;
  // A key is bound to its own algorithm. The two names of Ed25519's mean the same (RFC 9864).
  const algorithms = alg === undefined || ED25519.includes(alg as string) && jwk.kty === "OKP"
    ? material.algorithms
    : material.algorithms.filter((name) => name === alg);
  if (algorithms.length === 0) return null;
  const imported = new Map<string, ReturnType<typeof importJWK>>();
  return {
    kid: typeof kid === "string" ? kid : undefined,
    algorithms,
    isTooShort,
    material: JSON.stringify(jwk),
    importFor(algorithm) {
      const key = imported.get(algorithm) ?? importJWK(jwk, algorithm);
      imported.set(algorithm, key);
      return key;
    },
  };
}

interface Material {
  /** The public members alone: a private key that was published by mistake never gets further. */
  jwk: JWK;
  algorithms: string[];
  isTooShort?: boolean;
}

function readMaterial(member: Record<string, unknown>): Material | KeyProblem {
  const { kty, crv, n, e, x, y } = member;
  switch (kty) {
    case "RSA": {
      if (typeof n !== "string" || typeof e !== "string") return "malformed_key";
      const bits = bitLength(n);
      if (bits === null) return "malformed_key";
      if (bits > MAX_RSA_BITS) return "rsa_key_too_long";
      return { jwk: { kty, n, e }, algorithms: RSA, isTooShort: bits < MIN_RSA_BITS };
    }
    case "EC": {
      if (typeof crv !== "string" || !Object.hasOwn(EC, crv)) return "unsupported_curve";
      if (typeof x !== "string" || typeof y !== "string") return "malformed_key";
      return { jwk: { kty, crv, x, y }, algorithms: EC[crv]! };
    }
    case "OKP": {
      if (crv !== "Ed25519") return "unsupported_curve";
      if (typeof x !== "string") return "malformed_key";
      return { jwk: { kty, crv, x }, algorithms: ED25519 };
    }
    default:
      return "unsupported_key_type";
  }
}

/** The length of a number in base64url, in bits, without leading zeros; null if it is none. */
function bitLength(text: string): number | null {
  const bytes = decode(text);
  const first = bytes?.findIndex((byte) => byte !== 0) ?? -1;
  if (bytes === null || first === -1) return null;
  return (bytes.length - first) * 8 - Math.clz32(bytes[first]!) + 24;
}

function decode(text: string): Uint8Array | null {
  try {
    return base64url.decode(text);
  } catch {
    return null;
  }
}

/**
 * Whether a key can verify. Deno finds out only with a signature that a point is not on its curve or
 * that an RSA exponent is 1, with which anybody could sign.
 */
async function canVerify(key: VerificationKey): Promise<boolean> {
  try {
    const imported = await key.importFor(key.algorithms[0]!);
    if (!(imported instanceof CryptoKey)) return false;
    const parameters = { name: imported.algorithm.name, hash: "SHA-256", saltLength: 32 };
    await crypto.subtle.verify(parameters, imported, new Uint8Array(64), new Uint8Array(1));
    return true;
  } catch {
    return false;
  }
}

function isPrivate(member: unknown): boolean {
  return isObject(member) && Object.hasOwn(member, "d");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
