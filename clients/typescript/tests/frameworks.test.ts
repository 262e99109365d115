/** What callers see through Express, Fastify, Hono and Next's standard requests. */

import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import express from "express";
import Fastify from "fastify";
import { Hono } from "hono";
import * as forExpress from "../src/express.js";
import * as forFastify from "../src/fastify.js";
import * as forHono from "../src/hono.js";
import * as forNext from "../src/next.js";
import { Userd } from "../src/index.js";
import { FakeIssuer } from "../src/testing.js";

const issuer = await FakeIssuer.create();
const plain = await issuer.token();
const clerk = await issuer.token({ roles: ["clerk"], permissions: ["orders.read", "orders.write"] });

type Ask = (path: string, token?: string) => Promise<{ status: number; challenge: string | null }>;

async function check(ask: Ask): Promise<void> {
  const forged = 'Bearer error="invalid_token"';
  const lacking = 'Bearer error="insufficient_scope"';
  for (const [path, token, status, challenge] of [
    ["/any", undefined, 200, null],
    ["/me", undefined, 401, "Bearer"],
    ["/me", `${plain}x`, 401, forged],
    ["/me", plain, 200, null],
    ["/role", plain, 403, lacking],
    ["/role", clerk, 200, null],
    ["/permission", undefined, 401, "Bearer"],
    ["/permission", plain, 403, lacking],
    ["/permission", clerk, 200, null],
  ] as const) {
    assert.deepEqual(await ask(path, token), { status, challenge }, path);
  }
}

const shown = (token?: string): Record<string, string> => (token ? { authorization: `Bearer ${token}` } : {});

async function of(answer: Response | Promise<Response>) {
  const { status, headers } = await answer;
  return { status, challenge: headers.get("www-authenticate") };
}

test("Express answers 401, 403 and 200", async () => {
  const app = express();
  app.get("/any", (_, response) => void response.send("in"));
  app.use(forExpress.authenticate(issuer.userd()));
  app.get("/me", (_, response) => void response.send("in"));
  app.get("/role", forExpress.role("clerk", "boss"), (_, response) => void response.send("in"));
  app.get("/permission", forExpress.permission("orders.read"), (_, response) => void response.send("in"));
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    await check((path, token) => of(fetch(base + path, { headers: { ...shown(token), connection: "close" } })));
  } finally {
    server.close();
  }
});

test("Express lets whoever shows no token through where it is optional, and nobody with a bad one", async () => {
  const app = express();
  app.use(forExpress.authenticate(issuer.userd(), { optional: true }));
  app.get("/me", (request, response) => void response.send(request.token?.subject ?? "nobody"));
  app.get("/role", forExpress.role("clerk"), (_, response) => void response.send("in"));
  const server = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = async (path: string, token?: string) =>
    (await of(fetch(base + path, { headers: { ...shown(token), connection: "close" } }))).status;
  try {
    assert.deepEqual([await ask("/me"), await ask("/me", "bad"), await ask("/role")], [200, 401, 401]);
  } finally {
    server.close();
  }
});

test("503 is answered while nobody can tell", async () => {
  const away = new Userd({ issuer: "https://users.test", fetch: () => Promise.reject(new Error("down")) });
  const answer = await forNext.withToken(away, () => new Response("in"))(new Request("http://app/", { headers: shown(plain) }));
  assert.deepEqual([answer.status, answer.headers.get("retry-after")], [503, "1"]);
  const app = Fastify();
  await app.register(forFastify.userdPlugin, { userd: away });
  app.get("/me", async () => "in");
  assert.equal((await app.inject({ url: "/me", headers: shown(plain) })).statusCode, 503);
});

test("Fastify answers 401, 403 and 200", async () => {
  const app = Fastify();
  await app.register(forFastify.userdPlugin, { userd: issuer.userd(), openPaths: ["/any"] });
  app.get("/any", async () => "in");
  app.get("/me", async () => "in");
  app.get("/role", { preHandler: forFastify.role("clerk", "boss") }, async () => "in");
  app.get("/permission", { preHandler: forFastify.permission("orders.read") }, async () => "in");
  await check(async (url, token) => {
    const { statusCode, headers } = await app.inject({ url, headers: shown(token) });
    return { status: statusCode, challenge: (headers["www-authenticate"] as string | undefined) ?? null };
  });
});

test("Hono answers 401, 403 and 200", async () => {
  const app = new Hono<forHono.WithToken>();
  app.get("/any", (context) => context.text("in"));
  const userd = issuer.userd();
  app.use(forHono.authenticate(() => userd));
  app.get("/me", (context) => context.text(context.get("token").subject));
  app.get("/role", forHono.role("clerk", "boss"), (context) => context.text("in"));
  app.get("/permission", forHono.permission("orders.read"), (context) => context.text("in"));
  await check((path, token) => of(app.request(path, { headers: shown(token) })));
});

test("route handlers and the middleware of Next answer 401, 403 and 200", async () => {
  const userd = issuer.userd();
  const inside = () => new Response("in");
  const routes: Record<string, (request: Request) => Response | Promise<Response>> = {
    "/any": inside,
    "/me": forNext.withToken(userd, inside),
    "/role": forNext.withToken(userd, inside, { roles: ["clerk", "boss"] }),
    "/permission": forNext.withToken(userd, inside, { permissions: ["orders.read"] }),
  };
  const request = (path: string, token?: string) => new Request(`http://app${path}`, { headers: shown(token) });
  await check((path, token) => of(routes[path]!(request(path, token))));
  const guarded = forNext.middleware(userd, { roles: ["clerk"] });
  assert.equal(await guarded(request("/", clerk)), undefined);
  assert.equal((await guarded(request("/", plain)))?.status, 403);
  assert.equal((await guarded(request("/")))?.status, 401);
});
