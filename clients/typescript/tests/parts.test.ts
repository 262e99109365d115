/** The parts alone: webhooks against another maker's library, cursors, settings, bounded memory. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Webhook as Witness } from "standardwebhooks";
import { CredentialsRefused, InvalidWebhook, refusal, Refused, Userd, Webhook, type Options } from "../src/index.js";
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

/** A userd whose service answers so, and what it has logged. */
function beside(answers: Record<string, () => Response>, more: Partial<Options> = {}) {
  const said: string[] = [];
  const fetcher = async (url: unknown) => answers[new URL(String(url)).pathname]?.() ?? new Response(null, { status: 404 });
  const options = { issuer: "https://users.example", clientId: "id", clientSecret: "s3cret", timeout: 1 };
  const userd = new Userd({ ...options, fetch: fetcher as typeof fetch, log: (message) => said.push(message), ...more });
  return { userd, said };
}

const own = () => Response.json({ access_token: "own", expires_in: 600 });
const wrongSecret = () => Response.json({ error: "invalid_client", error_description: "The client is not authenticated" }, { status: 401 });

test("what userd refuses says why, with status, slug and fields", async () => {
  const errors = [{ pointer: "/email", detail: "is not an address" }];
  const problem = { type: "/problems/invalid_input", title: "The input is not accepted", status: 422, errors };
  const { userd } = beside({
    "/oauth2/token": own,
    "/v1/users": () => Response.json(problem, { status: 422 }),
    "/v1/roles": () => new Response("<html>", { status: 403 }),
    "/v1/me": () => Response.json({ type: "/problems/not_signed_in", title: "Not signed in", detail: "which" }, { status: 401 }),
  });
  const refused = (await userd.call("POST", "/v1/users", {}).catch((error) => error)) as Refused;
  assert.ok(refused instanceof Refused && refused.answered === 422);
  assert.deepEqual(refused.problem, { type: problem.type, slug: "invalid_input", title: problem.title, detail: "", errors });
  assert.match(refused.message, /422: The input is not accepted; \/email is not an address$/);
  await assert.rejects(userd.call("GET", "/v1/roles"), { answered: 403, problem: undefined, message: /the permission\?$/ });
  await assert.rejects(userd.call("GET", "/v1/me"), { name: "Unavailable", answered: 401, message: /Not signed in; which/ });
});

test("a secret that is refused is an error of its own, in the status and once in the log", async () => {
  const issuer = await FakeIssuer.create();
  const { userd, said } = beside({ "/oauth2/token": wrongSecret }, { issuer: issuer.issuer, keys: issuer.keys, maxAge: 2, wait: 1 });
  const refused = (await userd.token().catch((error) => error)) as CredentialsRefused;
  assert.deepEqual([refused.name, refused.status, refused.problem?.slug], ["CredentialsRefused", 503, "invalid_client"]);
  await assert.rejects(userd.events().next(), CredentialsRefused);
  for (const _ of [1, 2]) await assert.rejects(userd.verify(await issuer.token()), { name: "Unavailable" });
  const end = performance.now() + 10_000;
  while (userd.status().failures < 3 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(userd.status().error, "credentials");
  userd.close();
  assert.equal(said.length, 1);
  assert.match(said[0] ?? "", /cannot be followed \(credentials: userd refuses .*once that lasts 2 s, tokens are answered 503/);
  assert.ok(!said[0]?.includes("s3cret"));
});

test("the log says that revocations are followed again", async () => {
  const issuer = await FakeIssuer.create();
  const answers = {
    "/oauth2/token": own,
    "/v1/revocations": () => new Response("{}", { status: 503 }) as Response,
  };
  const { userd, said } = beside(answers, { issuer: issuer.issuer, keys: issuer.keys });
  await assert.rejects(userd.verify(await issuer.token()), { name: "Unavailable" });
  answers["/v1/revocations"] = () => Response.json({ items: [], next_cursor: null, has_more: false });
  const end = performance.now() + 10_000;
  while (said.length < 2 && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 20));
  userd.close();
  assert.equal(said.length, 2);
  assert.match(said[1] ?? "", /followed again/);
});

test("the log says that there is no key set, and an issuer that differs is said with both", async () => {
  const issuer = await FakeIssuer.create();
  const away = beside({}, { clientId: "", clientSecret: "" });
  for (const _ of [1, 2]) await assert.rejects(away.userd.verify(await issuer.token()), { name: "Unavailable" });
  assert.equal(away.said.length, 1);
  assert.match(away.said[0] ?? "", /key set of https:\/\/users\.example cannot be had \(the service answered 404\)/);
  const other = beside({}, { issuer: `${issuer.issuer}/`, keys: issuer.keys, clientId: "", clientSecret: "" });
  const both = new RegExp(`"${issuer.issuer}", the configuration "${issuer.issuer}/"; .* letter by letter`);
  for (const _ of [1, 2]) await assert.rejects(other.userd.verify(await issuer.token()), { reason: "issuer", message: both });
  assert.equal(other.said.length, 1);
  assert.match(other.said[0] ?? "", both);
});

test("a fault of the application is no answer to whoever calls it", () => {
  assert.equal(refusal(new Refused("/v1/users", 422)), undefined);
  assert.equal(refusal(new CredentialsRefused())?.status, 503);
});
