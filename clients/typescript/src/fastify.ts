/** For Fastify: a plugin that puts the verified token into `request.token`, and guards for `preHandler`. */

import type { FastifyPluginAsync, FastifyReply, FastifyRequest, preHandlerAsyncHookHandler } from "fastify";
import { InvalidToken } from "./errors.js";
import { refusal } from "./refusal.js";
import type { Token } from "./token.js";
import type { Userd } from "./userd.js";

declare module "fastify" {
  interface FastifyRequest {
    /** Who calls; null before the plugin has run, and for open paths. */
    token: Token | null;
  }
}

export interface FastifyOptions {
  userd: Userd;
  /** Paths that ask for no token. */
  openPaths?: readonly string[];
}

/** Asks every request for a token: 401, or 503. */
const plugin: FastifyPluginAsync<FastifyOptions> = async (app, { userd, openPaths = [] }) => {
  app.decorateRequest("token", null);
  app.addHook("onRequest", async (request, reply) => {
    if (openPaths.includes(request.url.split("?", 1)[0] ?? "")) return;
    try {
      request.token = await userd.authenticate(request.headers.authorization);
    } catch (error) {
      return refuse(error, reply);
    }
  });
};

// For the whole application, not only for what is registered inside (what fastify-plugin does).
export const userdPlugin = Object.assign(plugin, { [Symbol.for("skip-override")]: true });

/** One of these roles, else 403. */
export function role(...roles: string[]): preHandlerAsyncHookHandler {
  return guard((token) => token.requireRole(...roles));
}

/** All of these permissions, else 403. */
export function permission(...permissions: string[]): preHandlerAsyncHookHandler {
  return guard((token) => token.requirePermission(...permissions));
}

function guard(check: (token: Token) => void): preHandlerAsyncHookHandler {
  return async (request: FastifyRequest, reply) => {
    try {
      if (!request.token) throw new InvalidToken("missing");
      check(request.token);
    } catch (error) {
      return refuse(error, reply);
    }
  };
}

function refuse(error: unknown, reply: FastifyReply): FastifyReply {
  const answer = refusal(error);
  if (!answer) throw error;
  return reply.code(answer.status).headers(answer.headers).send(answer.body);
}
