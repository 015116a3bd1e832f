/** A key set (JWKS, RFC 7517): parsing, and the choice of keys for a token. */
import {
  canVerify,
  isObject,
  type KeyProblem,
  readKey,
  type VerificationKey,
} from "./verification_key.ts";

/** A parsed key set. */
export interface Jwks {
  keys: VerificationKey[];
  problems: ReadonlyMap<KeyProblem, number>;
}

/** Further members of a set are ignored: issuers publish fewer than ten. */
const MAX_KEYS = 100;

/**
 * Parses a key set (RFC 7517). Members that cannot be used are ignored and counted as problems, so that
 * they do not affect the others (RFC 7517, 5). Returns null if `json` is not a key set.
 */
export async function parseJwks(json: unknown): Promise<Jwks | null> {
  if (!isObject(json) || !Array.isArray(json.keys)) return null;
  const problems = new Map<KeyProblem, number>();
  const count = (problem: KeyProblem) => problems.set(problem, (problems.get(problem) ?? 0) + 1);
  if (json.keys.length > MAX_KEYS) count("too_many_keys");
  const keys = new Map<string, VerificationKey>();
  for (const member of json.keys.slice(0, MAX_KEYS)) {
    const key = readKey(member);
    if (key === null) continue;
    if (typeof key === "string") {
      count(key);
      continue;
    }
    if (key.isTooShort) count("rsa_key_too_short");
    else if (!await canVerify(key)) {
      count("malformed_key");
      continue;
    }
    if (isPrivate(member)) count("private_key_published");
    // Deduplicated, so that copies of one key do not displace other candidates.
    keys.set(JSON.stringify([key.kid, key.algorithms, key.material]), key);
  }
  return { keys: [...keys.values()], problems };
}

/** The maximum number of keys that are tried per token. */
const MAX_CANDIDATES = 8;

/** The keys to try for one token. */
export interface Candidates {
  candidates: VerificationKey[];
  /** Whether a key was left out because it is too short. */
  hasTooShort: boolean;
  /** Whether the set contains a key with the token's key ID. */
  hasNamedKey: boolean;
}

/**
 * Returns the keys that could have signed a token with this header, at most eight: those with its key
 * ID, then those without one. A token without a key ID could have been signed by any key.
 */
export function findCandidates(
  keys: VerificationKey[],
  { alg, kid }: { alg: string; kid?: string },
): Candidates {
  const suitable = keys.filter(({ algorithms }) => algorithms.includes(alg));
  const named = kid === undefined ? suitable : suitable.filter((key) => key.kid === kid);
  const nameless = kid === undefined ? [] : suitable.filter((key) => key.kid === undefined);
  const byMaterial = new Map([...named, ...nameless].map((key) => [key.material, key]));
  const all = [...byMaterial.values()];
  return {
    candidates: all.filter(({ isTooShort }) => !isTooShort).slice(0, MAX_CANDIDATES),
    hasTooShort: all.some(({ isTooShort }) => isTooShort),
    hasNamedKey: kid !== undefined && named.length > 0,
  };
}

function isPrivate(member: unknown): boolean {
  return isObject(member) && Object.hasOwn(member, "d");
}
