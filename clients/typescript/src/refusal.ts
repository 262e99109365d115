/** What a refused caller is answered, for any framework. It does not say why a token is bad. */

import { Forbidden, InvalidToken, Unavailable, UserdError } from "./errors.js";

export interface Refusal {
  status: number;
  headers: Record<string, string>;
  /** A problem (RFC 9457) in JSON. */
  body: string;
}

/**
 * The answer to an error of this package that says something of the caller or of the moment; undefined for any other error:
 * `Refused` is a fault of the application, which its framework logs and answers.
 */
export function refusal(error: unknown): Refusal | undefined {
  if (!(error instanceof UserdError) || error.status === 500) return undefined;
  const headers: Record<string, string> = { "content-type": "application/problem+json", "cache-control": "no-store" };
  if (error instanceof InvalidToken) {
    // Without an error where there were no credentials (RFC 6750 section 3.1).
    headers["www-authenticate"] = error.reason === "missing" ? "Bearer" : 'Bearer error="invalid_token"';
  } else if (error instanceof Forbidden) {
    headers["www-authenticate"] = 'Bearer error="insufficient_scope"';
  } else if (error instanceof Unavailable) {
    headers["retry-after"] = "1";
  }
  const { status, slug } = error;
  return { status, headers, body: JSON.stringify({ type: `/problems/${slug}`, title: slug, status }) };
}

/** The refusal as a standard answer; throws any other error again. */
export function refusalResponse(error: unknown): Response {
  const answer = refusal(error);
  if (!answer) throw error;
  return new Response(answer.body, { status: answer.status, headers: answer.headers });
}
