/** One member of a key set, as a public key that can verify signatures. */
import { base64url, importJWK, type JWK } from "jose";

/** Why a key is ignored, or used with a warning. For the log. */
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
  /** Whether it is an RSA key of less than 2,048 bits, which must not be used (RFC 7518, 3.3). */
  isTooShort: boolean;
  /** Equal for equal key material. */
  material: string;
  /** Imports the key for one of its algorithms, and caches it. */
  importFor(algorithm: string): ReturnType<typeof importJWK>;
}

/** Verifying with longer keys takes too long. */
const MAX_RSA_BITS = 16_384;
const MIN_RSA_BITS = 2_048;

const RSA = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const EC: Record<string, string[]> = { "P-256": ["ES256"], "P-384": ["ES384"], "P-521": ["ES512"] };
const ED25519 = ["EdDSA", "Ed25519"];
/** All algorithms that a key set can be used with: neither a shared-secret algorithm nor `none`. */
export const KEY_SET_ALGORITHMS = [...RSA, ...Object.values(EC).flat(), ...ED25519];

/** Parses a member of a set. Returns why it is ignored, or null if it is for another purpose. */
export function readKey(member: unknown): VerificationKey | KeyProblem | null {
  if (!isObject(member) || typeof member.kty !== "string") return "not_a_key";
  // Some issuers send null instead of omitting a property.
  const [use, key_ops, alg, kid] = ["use", "key_ops", "alg", "kid"].map((name) =>
    member[name] ?? undefined
  );
  if (use !== undefined && use !== "sig") return null;
  if (key_ops !== undefined && !(Array.isArray(key_ops) && key_ops.includes("verify"))) return null;
  const material = readMaterial(member);
  if (typeof material === "string") return material;
  const { jwk, isTooShort = false } = material;
  // `alg` restricts a key to one algorithm. Ed25519 has two names for the same one (RFC 9864).
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
  /** Only the public properties: a private key that was published by mistake is dropped here. */
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

/** Returns the bit length of a base64url-encoded number without leading zeros, or null. */
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
 * Returns whether a key can verify signatures. Only a verification makes Deno reject a point that is
 * not on its curve, or an RSA exponent of 1, with which anybody could sign.
 */
export async function canVerify(key: VerificationKey): Promise<boolean> {
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

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
