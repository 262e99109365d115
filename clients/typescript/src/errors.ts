/** What can go wrong, as an answer needs it: 401, 403 or 503. */

export type Reason =
  | "malformed"
  | "type"
  | "algorithm"
  | "unknown_key"
  | "signature"
  | "claims"
  | "issuer"
  | "audience"
  | "expired"
  | "not_yet_valid"
  | "revoked"
  | "missing";

/** Anything of this package. */
export class UserdError extends Error {
  override readonly name: string = "UserdError";
  readonly status: number = 500;
  readonly slug: string = "internal";
}

/** The token is not good: 401. `reason` is for logs; callers need not know more. */
export class InvalidToken extends UserdError {
  override readonly name = "InvalidToken";
  override readonly status = 401;
  override readonly slug = "invalid_token";

  constructor(readonly reason: Reason) {
    super(reason);
  }
}

/** The token is good and does not allow this: 403. */
export class Forbidden extends UserdError {
  override readonly name = "Forbidden";
  override readonly status = 403;
  override readonly slug = "insufficient_scope";
}

/** Whether the token is good cannot be told now: 503. */
export class Unavailable extends UserdError {
  override readonly name = "Unavailable";
  override readonly status = 503;
  override readonly slug = "unavailable";
}

/** The service refuses a call of ours: most likely this service's account lacks a permission. */
export class Refused extends UserdError {
  override readonly name = "Refused";
  override readonly slug = "refused";

  constructor(
    path: string,
    /** The status of the answer. */
    readonly answered: number,
  ) {
    super(`${path} answered ${answered}: does the account of this service have the permission?`);
  }
}

/** The events behind the stored cursor are gone: read what you know anew, then start without one. */
export class CursorExpired extends UserdError {
  override readonly name = "CursorExpired";
  override readonly slug = "cursor_expired";
}

/** The call is not genuine, or too old: 400. */
export class InvalidWebhook extends UserdError {
  override readonly name = "InvalidWebhook";
  override readonly status = 400;
  override readonly slug = "invalid_webhook";
}
