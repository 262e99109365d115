/** This package under the conformance suite: reads a line of JSON, answers one. */

import { createInterface } from "node:readline";
import { importJWK, jwtVerify } from "jose";
import { CursorExpired, InvalidToken, MemoryCursor, Userd, UserdError, Webhook, type Options } from "../src/index.js";

let userd: Userd;

const acts: Record<string, (what: any) => unknown> = {
  open({ settings }) {
    const camel = Object.entries(settings).map(([name, value]) => [
      name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]);
    userd = new Userd(Object.fromEntries(camel) as Options);
    return { ok: true };
  },
  close() {
    userd.close();
    return { ok: true };
  },
  verify: async ({ token }) => ({ subject: (await userd.verify(token)).subject }),
  async allows({ token, roles, permissions }) {
    const verified = await userd.verify(token);
    return { role: verified.hasRole(...roles), permission: verified.hasPermission(...permissions) };
  },
  status() {
    const { age, ...rest } = userd.status();
    return { ...rest, age: age === Infinity ? null : age };
  },
  token: async ({ resource }) => ({ token: await userd.token(resource) }),
  check: async ({ subject, permission }) => ({ allowed: await userd.check(subject, permission) }),
  async check_many({ checks }) {
    const asked = checks.map(([subject, permission]: [string, string]) => ({ subject, permission }));
    return { results: await userd.checkMany(asked) };
  },
  async events({ cursor, count }) {
    const store = new MemoryCursor(cursor ?? undefined);
    const ids: string[] = [];
    for await (const event of userd.events(store)) {
      ids.push(event.id);
      if (ids.length === count) break;
    }
    return { ids, cursor: store.load() ?? null };
  },
  async webhook({ secrets, headers, body, now }) {
    return { type: (await new Webhook(...secrets).verify(body, headers, now)).type };
  },
  async user({ id }) {
    const user = await userd.user(id);
    return { user: user ? { id: user.id, status: user.status, roles: user.roles } : null };
  },
  async bench({ tokens, jwk, settings }) {
    const key = await importJWK(jwk, jwk.alg);
    const { issuer, audience } = settings;
    let began = performance.now();
    for (const token of tokens) await jwtVerify(token, key, { algorithms: [jwk.alg], issuer, audience });
    const bare = performance.now() - began;
    // One that remembers none of these.
    const { client_id: clientId, client_secret: clientSecret } = settings;
    const small = new Userd({ issuer, audience, clientId, clientSecret, maxTokens: 1 });
    const all = async (verifier: Userd) => {
      began = performance.now();
      for (const token of tokens) (await verifier.verify(token)).requirePermission("orders.read");
      return performance.now() - began;
    };
    await small.verify(tokens[0]);
    const first = await all(small);
    small.close();
    await all(userd);
    const remembered = await all(userd);
    const each = (milliseconds: number) => milliseconds / 1000 / tokens.length;
    return { bare: each(bare), first: each(first), remembered: each(remembered) };
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: act, ...what } = JSON.parse(line);
  let answer: unknown;
  try {
    answer = await acts[act]?.(what);
  } catch (error) {
    if (error instanceof InvalidToken) answer = { error: error.slug, reason: error.reason };
    else if (error instanceof CursorExpired || error instanceof UserdError) answer = { error: error.slug };
    else throw error;
  }
  console.log(JSON.stringify(answer));
}
userd!?.close();
