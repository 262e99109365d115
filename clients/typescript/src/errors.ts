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

  constructor(
    readonly reason: Reason,
    more = "",
  ) {
    super(more ? `${reason}: ${more}` : reason);
  }
}

/** The token is good and does not allow this: 403. */
export class Forbidden extends UserdError {
  override readonly name = "Forbidden";
  override readonly status = 403;
  override readonly slug = "insufficient_scope";
}

/** What userd says about a call that it does not do (RFC 9457); on `/oauth2/*` the OAuth code and its description. */
export interface Problem {
  readonly type: string;
  /** The last word of the type, stable: `docs/problems.md` of userd has them all. */
  readonly slug: string;
  readonly title: string;
  readonly detail: string;
  /** The fields that are refused. */
  readonly errors: readonly { readonly pointer: string; readonly detail: string }[];
}

/** What it answered, where it answered at all. */
export interface Answered extends ErrorOptions {
  answered?: number;
  problem?: Problem | undefined;
}

/** Whether the token is good cannot be told now: 503. */
export class Unavailable extends UserdError {
  override readonly name: string = "Unavailable";
  override readonly status = 503;
  override readonly slug = "unavailable";
  /** The status of userd's answer; undefined where there was none. */
  readonly answered: number | undefined;
  readonly problem: Problem | undefined;

  constructor(message: string, { answered, problem, ...options }: Answered = {}) {
    super(message, options);
    this.answered = answered;
    this.problem = problem;
  }
}

/** Userd does not know this service's account by this id and secret. No token can be checked for revocation: 503. */
export class CredentialsRefused extends Unavailable {
  override readonly name = "CredentialsRefused";

  constructor(problem?: Problem) {
    super(`userd refuses clientId and clientSecret${told(problem)}`, { answered: 401, problem });
  }
}

/** The service refuses a call of ours, however often it is made: `problem` says why. */
export class Refused extends UserdError {
  override readonly name = "Refused";
  override readonly slug = "refused";

  constructor(
    path: string,
    /** The status of the answer. */
    readonly answered: number,
    readonly problem?: Problem,
  ) {
    const hint = answered === 403 ? "; does the account of this service have the permission?" : "";
    super(`${path} answered ${answered}${told(problem)}${hint}`);
  }
}

/** For a message: what the problem says. */
export function told(problem?: Problem): string {
  if (!problem) return "";
  const fields = problem.errors.map(({ pointer, detail }) => `${pointer} ${detail}`);
  const words = [problem.title || problem.slug, problem.detail, ...fields].filter((word) => word !== "");
  return words.length > 0 ? `: ${words.join("; ")}` : "";
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
