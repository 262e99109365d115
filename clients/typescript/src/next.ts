/** For Next and whatever else speaks the standard `Request` and `Response`. */

import { refusalResponse } from "./refusal.js";
import type { Token } from "./token.js";
import type { Userd } from "./userd.js";

export interface Guards {
  /** One of these roles. */
  roles?: readonly string[];
  /** All of these permissions. */
  permissions?: readonly string[];
}

/** A route handler that is called with the token of whoever calls; 401, 403 and 503 are answered for it. */
export function withToken<Rest extends unknown[]>(
  userd: Userd,
  handler: (request: Request, token: Token, ...rest: Rest) => Response | Promise<Response>,
  guards: Guards = {},
): (request: Request, ...rest: Rest) => Promise<Response> {
  return async (request, ...rest) => {
    let token: Token;
    try {
      token = await admit(userd, request, guards);
    } catch (error) {
      return refusalResponse(error);
    }
    return handler(request, token, ...rest);
  };
}

/** For `middleware.ts`: an answer for who may not come in, nothing for who may. */
export function middleware(userd: Userd, guards: Guards = {}): (request: Request) => Promise<Response | undefined> {
  return async (request) => {
    try {
      await admit(userd, request, guards);
      return undefined;
    } catch (error) {
      return refusalResponse(error);
    }
  };
}

async function admit(userd: Userd, request: Request, { roles = [], permissions = [] }: Guards): Promise<Token> {
  const token = await userd.authenticate(request.headers.get("authorization"));
  if (roles.length > 0) token.requireRole(...roles);
  token.requirePermission(...permissions);
  return token;
}
