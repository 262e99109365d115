/** Verification of one token against a key set: no network, no clock of its own. */

import { base64url, compactVerify } from "jose";
import { InvalidToken } from "./errors.js";
import type { KeySet } from "./keys.js";
import type { Settings } from "./settings.js";
import { Token } from "./token.js";

const COMPACT = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/;
const LONGEST = 16_384;
const LAST_SECOND = 253_402_300_799;
const SUPPORTED = ["EdDSA", "ES256", "RS256"];
const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

type Members = Record<string, unknown>;

/** The token, or `InvalidToken` with the reason. */
export async function verify(text: string, keys: KeySet, settings: Settings, now: number): Promise<Token> {
  // A regular expression's `$` stands before a last line end only with the flag `m`, which this one has not.
  const parts = text.length <= LONGEST ? COMPACT.exec(text) : null;
  if (!parts) throw new InvalidToken("malformed");
  const { kid, algorithm } = header(members(parts[1] as string));
  const key = keys.get(kid);
  if (!key) throw new InvalidToken("unknown_key");
  // The algorithm that belongs to the key, never the one that the token names.
  if (algorithm !== key.algorithm) throw new InvalidToken("algorithm");
  try {
    await compactVerify(text, key.key, { algorithms: [key.algorithm] });
  } catch {
    throw new InvalidToken("signature");
  }
  return tokenOf(members(parts[2] as string), kid, settings, now);
}

/** What a remembered token is asked again. */
export function checkTimes(token: Token, settings: Settings, now: number): void {
  if (token.expiresAt <= now - settings.leeway) throw new InvalidToken("expired");
}

function members(part: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(base64url.decode(part)));
  } catch {
    throw new InvalidToken("malformed");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new InvalidToken("malformed");
  return value as Members;
}

function header(said: Members): { kid: string; algorithm: string } {
  const { typ, kid, alg } = said;
  if (Object.hasOwn(said, "crit") || Object.hasOwn(said, "b64")) throw new InvalidToken("malformed");
  if (typeof typ !== "string" || !["at+jwt", "application/at+jwt"].includes(typ.toLowerCase())) {
    throw new InvalidToken("type");
  }
  if (typeof alg !== "string" || !SUPPORTED.includes(alg)) throw new InvalidToken("algorithm");
  if (typeof kid !== "string" || kid === "") throw new InvalidToken("unknown_key");
  return { kid, algorithm: alg };
}

function tokenOf(claims: Members, keyId: string, settings: Settings, now: number): Token {
  const token = new Token({
    subject: text(claims, "sub"),
    clientId: text(claims, "client_id"),
    sessionId: Object.hasOwn(claims, "sid") ? text(claims, "sid") : null,
    tokenId: text(claims, "jti"),
    issuedAt: whole(claims, "iat"),
    expiresAt: whole(claims, "exp"),
    version: whole(claims, "ver", Number.MAX_SAFE_INTEGER),
    roles: words(claims, "roles"),
    roleVersions: roleVersions(claims),
    permissions: words(claims, "permissions"),
    keyId,
    claims,
  });
  const notBefore = Object.hasOwn(claims, "nbf") ? whole(claims, "nbf") : token.issuedAt;
  if (token.sessionId === null && token.clientId !== token.subject) throw new InvalidToken("claims");
  if (claims["iss"] !== settings.issuer) throw new InvalidToken("issuer", otherIssuer(claims["iss"], settings.issuer));
  if (!isFor(claims["aud"], settings.audience)) throw new InvalidToken("audience");
  checkTimes(token, settings, now);
  if (Math.max(notBefore, token.issuedAt) > now + settings.leeway) throw new InvalidToken("not_yet_valid");
  return token;
}

/** Its signature is good, so that it is most likely the configuration that is wrong. */
function otherIssuer(said: unknown, issuer: string): string {
  return `the token says ${JSON.stringify(said)}, the configuration ${JSON.stringify(issuer)}; they are compared letter by letter`;
}

function text(claims: Members, name: string): string {
  const value = claims[name];
  if (typeof value !== "string" || value === "") throw new InvalidToken("claims");
  return value;
}

function whole(claims: Members, name: string, most = LAST_SECOND): number {
  const value = claims[name];
  if (!isWhole(value, most)) throw new InvalidToken("claims");
  return value;
}

function isWhole(value: unknown, most: number): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;
}

function words(claims: Members, name: string): ReadonlySet<string> {
  const value = claims[name] ?? [];
  if (!areTexts(value)) throw new InvalidToken("claims");
  return new Set(value);
}

/** They stand at the places of their roles, which are read already. */
function roleVersions(claims: Members): ReadonlyMap<string, number> {
  const versions = claims["role_versions"] ?? [];
  if (!Array.isArray(versions) || !versions.every((one) => isWhole(one, Number.MAX_SAFE_INTEGER))) {
    throw new InvalidToken("claims");
  }
  const roles = (claims["roles"] ?? []) as string[];
  return new Map(roles.slice(0, versions.length).map((role, place) => [role, versions[place] as number]));
}

function isFor(value: unknown, audience: string): boolean {
  return typeof value === "string" ? value === audience : areTexts(value) && value.includes(audience);
}

function areTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((one) => typeof one === "string");
}
