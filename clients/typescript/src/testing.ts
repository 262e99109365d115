/** A fake issuer: tokens for unit tests, without a server. */

import { CompactSign, exportJWK, generateKeyPair, type CryptoKey } from "jose";
import { Userd } from "./userd.js";

export interface Wanted {
  subject?: string;
  roles?: string[];
  permissions?: string[];
  session?: string;
  /** Seconds. */
  expiresIn?: number;
  /** Added, or in place of what it would say; null leaves a claim out. */
  claims?: Record<string, unknown>;
}

/** Mints what userd mints, with a key of its own: `await FakeIssuer.create()`. */
export class FakeIssuer {
  readonly #made: Userd[] = [];
  /** Of roles that allow less than at first. */
  readonly #versions = new Map<string, number>();

  private constructor(
    readonly issuer: string,
    readonly audience: string,
    private readonly privateKey: CryptoKey,
    /** The key set, as `/.well-known/jwks.json` answers it. */
    readonly keys: { keys: object[] },
  ) {}

  static async create(issuer = "https://users.test", audience = "userd"): Promise<FakeIssuer> {
    const pair = await generateKeyPair("EdDSA", { crv: "Ed25519", extractable: true });
    const jwk = { ...(await exportJWK(pair.publicKey)), kid: "fake", alg: "EdDSA", use: "sig" };
    return new FakeIssuer(issuer, audience, pair.privateKey, { keys: [jwk] });
  }

  /** A user's token. */
  token(wanted: Wanted = {}): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const roles = wanted.roles ?? [];
    const said: Record<string, unknown> = {
      iss: this.issuer,
      aud: this.audience,
      sub: wanted.subject ?? crypto.randomUUID(),
      sub_type: "user",
      client_id: "userd",
      sid: wanted.session ?? crypto.randomUUID(),
      jti: crypto.randomUUID(),
      iat: now,
      nbf: now,
      exp: now + (wanted.expiresIn ?? 600),
      roles,
      role_versions: roles.length ? roles.map((role) => this.#versionOf(role)) : null,
      permissions: wanted.permissions ?? [],
      ver: 1,
      ...wanted.claims,
    };
    const kept = Object.fromEntries(Object.entries(said).filter(([, value]) => value !== null));
    return new CompactSign(new TextEncoder().encode(JSON.stringify(kept)))
      .setProtectedHeader({ alg: "EdDSA", kid: "fake", typ: "at+jwt" })
      .sign(this.privateKey);
  }

  /** A service account's token. */
  serviceToken(clientId: string, permissions: string[] = []): Promise<string> {
    return this.token({ subject: clientId, permissions, claims: { client_id: clientId, sid: null, sub_type: "client" } });
  }

  /** A verifier that trusts this issuer and calls nobody. */
  userd(): Userd {
    const nobody = () => Promise.reject(new Error("a fake issuer calls nobody"));
    const userd = new Userd({ issuer: this.issuer, audience: this.audience, keys: this.keys, fetch: nobody });
    this.#made.push(userd);
    return userd;
  }

  /** What a sign-out does: the verifiers that were made here refuse the session's tokens. */
  endSession(session: string): void {
    this.#revoke({ kind: "session", session_id: session });
  }

  /** What a role that allows less does: the tokens that carry it are refused, those made from now on are not. */
  narrowRole(role: string): void {
    this.#versions.set(role, this.#versionOf(role) + 1);
    this.#revoke({ kind: "role", role, min_version: this.#versionOf(role) });
  }

  #versionOf(role: string): number {
    return this.#versions.get(role) ?? 1;
  }

  #revoke(what: object): void {
    const times = { recorded_at: "2000-01-01T00:00:00Z", expires_at: "9999-01-01T00:00:00Z" };
    for (const userd of this.#made) userd.applyForTests([{ id: crypto.randomUUID(), ...times, ...what }]);
  }
}
