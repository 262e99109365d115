/** The parts alone: webhooks against another maker's library, cursors, settings, bounded memory. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Webhook as Witness } from "standardwebhooks";
import { InvalidWebhook, Userd, Webhook, type Options } from "../src/index.js";
import { FileCursor } from "../src/node.js";
import { FakeIssuer } from "../src/testing.js";

test("webhooks signed by another maker's library are taken", async () => {
  const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
  const body = JSON.stringify({ id: "1", type: "user.purged", subject: "u", time: "2026-01-01T00:00:00Z", data: {} });
  const now = new Date();
  const headers = {
    "Webhook-Id": "msg_1",
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": new Witness(secret).sign("msg_1", now, body),
  };
  assert.equal((await new Webhook(secret).verify(body, headers)).type, "user.purged");
  assert.equal((await new Webhook(secret).verify(Buffer.from(body), new Headers(headers))).subject, "u");
  await assert.rejects(new Webhook(secret).verify(`${body} `, headers), InvalidWebhook);
  assert.throws(() => new Webhook("whsec_"), TypeError);
});

test("a cursor in a file outlives the process", async () => {
  const folder = await mkdtemp(join(tmpdir(), "userd-"));
  const path = join(folder, "cursor");
  assert.equal(await new FileCursor(path).load(), undefined);
  await new FileCursor(path).save("a");
  await new FileCursor(path).save("b");
  assert.equal(await new FileCursor(path).load(), "b");
  assert.deepEqual(await readdir(folder), ["cursor"]);
  await rm(folder, { recursive: true });
});

test("settings that cannot work are refused", () => {
  const wrong: Partial<Options>[] = [
    { issuer: "users.example" },
    { audience: "" },
    { clientId: "x" },
    { leeway: 61 },
    { whenStale: "guess" as "accept" },
    { wait: 30 },
    { maxAge: 5 },
    { maxEntries: 0 },
  ];
  for (const one of wrong) {
    assert.throws(() => new Userd({ issuer: "https://users.example", ...one }), TypeError, JSON.stringify(one));
  }
});

test("an option that is undefined is left out", () => {
  const unset = { clientId: undefined, clientSecret: undefined, audience: undefined } as unknown as Partial<Options>;
  const { follows, audience } = new Userd({ issuer: "https://users.example", ...unset }).settings;
  assert.deepEqual({ follows, audience }, { follows: false, audience: "userd" });
});

test("a token that is remembered expires all the same, and more than are remembered are verified", async () => {
  const issuer = await FakeIssuer.create();
  const userd = new Userd({ issuer: issuer.issuer, keys: issuer.keys, leeway: 0, maxTokens: 2 });
  const short = await issuer.token({ expiresIn: 1 });
  for (const token of [short, await issuer.token(), await issuer.token(), await issuer.token()]) await userd.verify(token);
  const end = performance.now() + 5_000;
  let reason: unknown;
  while (!reason && performance.now() < end) reason = await userd.verify(short).then(() => "", (error) => error.reason);
  assert.equal(reason, "expired");
});

test("a role that allows less ends the tokens made before and none after", async () => {
  const issuer = await FakeIssuer.create();
  const userd = issuer.userd();
  const [before, reader] = [await issuer.token({ roles: ["reader", "clerk"] }), await issuer.token({ roles: ["reader"] })];
  assert.deepEqual([...(await userd.verify(before)).roleVersions], [["reader", 1], ["clerk", 1]]);
  issuer.narrowRole("clerk");
  await assert.rejects(userd.verify(before), { reason: "revoked" });
  assert.ok((await userd.verify(reader)).hasRole("reader"));
  assert.equal((await userd.verify(await issuer.token({ roles: ["clerk"] }))).roleVersions.get("clerk"), 2);
});

test("many callers at once ask for the key set once", async () => {
  const issuer = await FakeIssuer.create();
  let asked = 0;
  const fetcher = async () => {
    asked += 1;
    return Response.json(issuer.keys);
  };
  const userd = new Userd({ issuer: issuer.issuer, fetch: fetcher });
  await Promise.all(Array.from({ length: 50 }, async () => userd.verify(await issuer.token())));
  assert.equal(asked, 1);
});

test("secrets are in no error", async () => {
  const fails = () => Promise.reject(new Error("down"));
  const userd = new Userd({ issuer: "https://users.example", clientId: "id", clientSecret: "hidden-secret", fetch: fails });
  const error = (await userd.token().catch((error: Error) => error)) as Error;
  userd.close();
  assert.ok(!`${error.stack}${JSON.stringify(error)}`.includes("hidden-secret"));
});

test("nothing of Node is used outside of its own module", async () => {
  const folder = join(import.meta.dirname, "../../src");
  const files = (await readdir(folder)).filter((file) => file !== "node.ts");
  assert.ok(files.length > 10);
  for (const file of files) {
    const text = await readFile(join(folder, file), "utf8");
    assert.doesNotMatch(text, /"node:|\bprocess\.\w|\bBuffer\b|\brequire\(/, file);
  }
});
