/** The key set: which keys there are, each with the one algorithm that it is for, and when to ask for them again. */

import { importJWK, type CryptoKey, type JWK } from "jose";

const ALGORITHMS: Record<string, string> = { "OKP Ed25519": "EdDSA", "EC P-256": "ES256", "RSA ": "RS256" };
/** Characters of `n` of an RSA key with 2,048 bits. */
const SMALLEST_MODULUS = 342;
/** Strangers' `kid`s and faults make us ask no more often than this. */
const REFRESH_INTERVAL = 5;
const DEFAULT_LIFETIME = 300;
const LONGEST_STALE = 86_400;

export interface Key {
  algorithm: string;
  key: CryptoKey;
}

/** The keys of a JWKS that can be used; others are left out, so that a new kind breaks nothing. */
async function parse(document: unknown): Promise<Map<string, Key>> {
  const members = (document as { keys?: unknown } | null)?.keys;
  if (!Array.isArray(members)) throw new TypeError("not a key set");
  const keys = new Map<string, Key>();
  for (const member of members as (JWK | null)[]) {
    const key = await usable(member);
    if (key) keys.set(member?.kid as string, key);
  }
  return keys;
}

async function usable(member: JWK | null): Promise<Key | undefined> {
  if (typeof member?.kid !== "string") return undefined;
  const algorithm = ALGORITHMS[`${member.kty} ${member.crv ?? ""}`];
  if (!algorithm || (member.alg ?? algorithm) !== algorithm || (member.use ?? "sig") !== "sig") return undefined;
  if (algorithm === "RS256" && String(member.n ?? "").length < SMALLEST_MODULUS) return undefined;
  const { kty, crv, x, y, n, e } = member;
  try {
    const key = await importJWK({ kty, crv, x, y, n, e } as JWK, algorithm);
    return key instanceof Uint8Array ? undefined : { algorithm, key };
  } catch {
    return undefined;
  }
}

/** The set as it is known. Times are of a clock in seconds that does not go back. */
export class KeySet {
  #keys = new Map<string, Key>();
  #fetchedAt: number | undefined;
  #freshUntil = 0;
  #askedAt: number | undefined;
  #isFixed = false;

  async fix(document: unknown): Promise<void> {
    this.#keys = await parse(document);
    this.#isFixed = true;
  }

  get(kid: string): Key | undefined {
    return this.#keys.get(kid);
  }

  isUsable(now: number): boolean {
    return this.#isFixed || (this.#fetchedAt !== undefined && now - this.#fetchedAt < LONGEST_STALE);
  }

  isDue(now: number): boolean {
    return now >= this.#freshUntil && this.mayAsk(now);
  }

  mayAsk(now: number): boolean {
    return !this.#isFixed && (this.#askedAt === undefined || now - this.#askedAt >= REFRESH_INTERVAL);
  }

  asked(now: number): void {
    this.#askedAt = now;
  }

  /** A key was revoked: the set has changed. */
  expire(): void {
    this.#freshUntil = 0;
    this.#askedAt = undefined;
  }

  /** Takes another set; whether there are other keys in it. */
  async replace(document: unknown, cacheControl: string, now: number): Promise<boolean> {
    const before = [...this.#keys.keys()].sort().join("\n");
    this.#keys = await parse(document);
    const lifetime = /max-age=(\d{1,6})/.exec(cacheControl)?.[1];
    this.#fetchedAt = now;
    this.#freshUntil = now + (lifetime === undefined ? DEFAULT_LIFETIME : Math.min(Number(lifetime), 3_600));
    return [...this.#keys.keys()].sort().join("\n") !== before;
  }
}
