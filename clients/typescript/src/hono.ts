/** For Hono, at the edge too: middleware that sets the variable `token`, and guards. */

import type { MiddlewareHandler } from "hono";
import { InvalidToken } from "./errors.js";
import { refusalResponse } from "./refusal.js";
import type { Token } from "./token.js";
import type { Userd } from "./userd.js";

export type WithToken = { Variables: { token: Token } };

/** Asks every request for a token: 401, or 503. Give a function where the bindings of a request are needed to make it. */
export function authenticate(userd: Userd | (() => Userd)): MiddlewareHandler<WithToken> {
  return async (context, next) => {
    const trusted = typeof userd === "function" ? userd() : userd;
    try {
      context.set("token", await trusted.authenticate(context.req.header("authorization")));
    } catch (error) {
      return refusalResponse(error);
    }
    return next();
  };
}

/** One of these roles, else 403. */
export function role(...roles: string[]): MiddlewareHandler<WithToken> {
  return guard((token) => token.requireRole(...roles));
}

/** All of these permissions, else 403. */
export function permission(...permissions: string[]): MiddlewareHandler<WithToken> {
  return guard((token) => token.requirePermission(...permissions));
}

function guard(check: (token: Token) => void): MiddlewareHandler<WithToken> {
  return async (context, next) => {
    try {
      const token = context.get("token") as Token | undefined;
      if (!token) throw new InvalidToken("missing");
      check(token);
    } catch (error) {
      return refusalResponse(error);
    }
    return next();
  };
}
