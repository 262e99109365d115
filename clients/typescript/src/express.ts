/** For Express: middleware that puts the verified token into `request.token`, and guards. */

import type { NextFunction, Request, RequestHandler, Response } from "express";
import { InvalidToken } from "./errors.js";
import { refusal } from "./refusal.js";
import type { Token } from "./token.js";
import type { Userd } from "./userd.js";

declare global {
  namespace Express {
    interface Request {
      /** Who calls; only behind `authenticate`. */
      token?: Token;
    }
  }
}

/** Asks every request for a token: 401, or 503. `optional`: who shows none comes through. */
export function authenticate(userd: Userd, { optional = false } = {}): RequestHandler {
  return (request, response, next) => {
    const shown = request.headers.authorization;
    if (optional && shown === undefined) return next();
    userd.authenticate(shown).then(
      (token) => {
        request.token = token;
        next();
      },
      (error: unknown) => refuse(error, response, next),
    );
  };
}

/** One of these roles, else 403. */
export function role(...roles: string[]): RequestHandler {
  return guard((token) => token.requireRole(...roles));
}

/** All of these permissions, else 403. */
export function permission(...permissions: string[]): RequestHandler {
  return guard((token) => token.requirePermission(...permissions));
}

function guard(check: (token: Token) => void): RequestHandler {
  return (request: Request, response, next) => {
    try {
      if (!request.token) throw new InvalidToken("missing");
      check(request.token);
    } catch (error) {
      return refuse(error, response, next);
    }
    next();
  };
}

function refuse(error: unknown, response: Response, next: NextFunction): void {
  const answer = refusal(error);
  if (!answer) return next(error);
  response.status(answer.status).set(answer.headers).send(answer.body);
}

