/** A verified token, as code that decides about access wants it. */

import { Forbidden } from "./errors.js";

export interface Said {
  /** The id of the user, or of the service account. */
  subject: string;
  clientId: string;
  /** Null for a service account. */
  sessionId: string | null;
  tokenId: string;
  issuedAt: number;
  expiresAt: number;
  version: number;
  roles: ReadonlySet<string>;
  /** Of its roles, the version of what each allowed; a role that the token says none of is not among them. */
  roleVersions: ReadonlyMap<string, number>;
  permissions: ReadonlySet<string>;
  keyId: string;
  /** Everything that the token says. */
  claims: Readonly<Record<string, unknown>>;
}

export interface Token extends Readonly<Said> {}

/** Who calls, and what they may do. */
export class Token {
  constructor(said: Said) {
    Object.assign(this, said);
    Object.freeze(this);
  }

  get isService(): boolean {
    return this.sessionId === null;
  }

  /** Whether it has one of these roles. */
  hasRole(...roles: string[]): boolean {
    return roles.some((role) => this.roles.has(role));
  }

  /** Whether it has all of these permissions. */
  hasPermission(...permissions: string[]): boolean {
    return permissions.every((permission) => this.permissions.has(permission));
  }

  /** Throws `Forbidden` unless it has one of these roles. */
  requireRole(...roles: string[]): void {
    if (!this.hasRole(...roles)) throw new Forbidden(`needs the role ${roles.join(" or ")}`);
  }

  /** Throws `Forbidden` unless it has all of these permissions. */
  requirePermission(...permissions: string[]): void {
    if (!this.hasPermission(...permissions)) throw new Forbidden(`needs the permission ${permissions.join(" and ")}`);
  }
}
