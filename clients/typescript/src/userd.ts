/** A userd that is trusted: verification, the follower of revocations, and the calls that services make. */

import { Calls, clock, json, pause, problemOf } from "./calls.js";
import { CredentialsRefused, InvalidToken, Refused, told, Unavailable } from "./errors.js";
import { events, MemoryCursor, type CursorStore, type EventOptions, type UserdEvent } from "./events.js";
import { Feed } from "./feed.js";
import { KeySet } from "./keys.js";
import { settle, type Options, type Settings } from "./settings.js";
import type { Token } from "./token.js";
import { checkTimes, verify } from "./verify.js";
import { View } from "./view.js";
import { Watch } from "./watch.js";

/** A question: may this user do that? */
export interface Check {
  subject: string;
  permission: string;
}

/** Questions that one call may have. */
const MOST_CHECKS = 1_000;

/** Whether somebody may, and why. */
export interface Decision {
  allowed: boolean;
  reason: string;
}

/** What `GET /v1/users/{id}` answers. */
export interface User {
  id: string;
  status: "active" | "blocked" | "deleted";
  username: string | null;
  email: string | null;
  email_verified: boolean;
  display_name: string | null;
  locale: string | null;
  roles: string[];
  /** And what else is answered. */
  [member: string]: unknown;
}

/** What is known of the feed, for logs and health checks. */
export interface FeedStatus {
  /** Seconds since the service last said that nothing is missing; infinite before it did. */
  age: number;
  entries: number;
  /** How often the feed was begun anew because it is another one than before: a backup was restored. */
  restarts: number;
  /** How often entries were replaced by a coarser one because there were too many. */
  overflows: number;
  /** Calls in a row that failed. */
  failures: number;
  /**
   * Why the last one did: `credentials` (the account's id or secret is wrong), its HTTP status (403: the account lacks
   * `revocations.read`), `unreachable`, `nonsense`; empty where it did not.
   */
  error: string;
}

/** One for a process. */
export class Userd {
  readonly settings: Settings;
  readonly #calls: Calls;
  readonly #ended = new AbortController();
  readonly #keys = new KeySet();
  readonly #fixed: Promise<void> | undefined;
  readonly #view: View;
  readonly #feed: Feed;
  readonly #watch: Watch;
  readonly #remembered = new Map<string, Token>();
  #refreshing: Promise<void> | undefined;
  #ready: Promise<void> | undefined;

  constructor(options: Options) {
    this.settings = settle(options);
    this.#calls = new Calls(this.settings, options.fetch ?? globalThis.fetch, this.#ended.signal);
    this.#view = new View(this.settings.maxEntries);
    this.#feed = new Feed(this.#view, this.settings.wait);
    this.#watch = new Watch(this.settings);
    if (options.keys !== undefined) this.#fixed = this.#keys.fix(options.keys);
  }

  /** Who calls with this token. Throws `InvalidToken` (401) or `Unavailable` (503). */
  async verify(token: string): Promise<Token> {
    await Promise.all([this.#fixed, this.start()]);
    const verified = await this.#verifyOffline(token);
    if (this.#view.forbids(verified)) throw new InvalidToken("revoked");
    const { follows, whenStale, maxAge } = this.settings;
    if (!follows || whenStale === "accept" || this.#view.age(clock()) <= maxAge) return verified;
    if (whenStale === "refuse") throw new Unavailable("the view of revocations is too old");
    return this.#introspect(token, verified);
  }

  /** The same, from an `Authorization` header. */
  async authenticate(authorization: string | null | undefined): Promise<Token> {
    const shown = /^bearer +(\S+) *$/i.exec(authorization ?? "")?.[1];
    if (!shown) throw new InvalidToken("missing");
    return this.verify(shown);
  }

  /** Starts the follower, and waits until the view is complete, but not for ever. The first `verify` does it. */
  start(): Promise<void> {
    if (!this.settings.follows) return Promise.resolve();
    this.#ready ??= Promise.race([
      new Promise<void>((resolve) => void this.#follow(resolve)),
      pause(this.settings.timeout, this.#ended.signal),
    ]);
    return this.#ready;
  }

  /** How old the view of revocations is, and how the feed goes. */
  status(): FeedStatus {
    const { restarts, failures, error } = this.#feed;
    const { size: entries, overflows } = this.#view;
    return { age: this.#view.age(clock()), entries, restarts, overflows, failures, error };
  }

  /**
   * An access token of this service's own account, to call userd with; with `resource` one to call another service with:
   * its audience, which must be among the account's. Each is renewed before it ends.
   */
  token(resource?: string): Promise<string> {
    return this.#calls.token(resource);
  }

  /** Whether this user may do that, as the service knows now (it needs `permissions.check`). */
  async check(subject: string, permission: string): Promise<boolean> {
    const { allowed } = (await this.#ask({ subject, permission })) as Partial<Decision>;
    if (typeof allowed !== "boolean") throw new Unavailable("not an answer about a permission");
    return allowed;
  }

  /** Several questions in one call, or one for each thousand. */
  async checkMany(checks: readonly Check[]): Promise<Decision[]> {
    const decisions: Decision[] = [];
    for (let start = 0; start < checks.length; start += MOST_CHECKS) {
      decisions.push(...(await this.#checkSome(checks.slice(start, start + MOST_CHECKS))));
    }
    return decisions;
  }

  async #checkSome(checks: readonly Check[]): Promise<Decision[]> {
    const { results } = (await this.#ask({ checks })) as { results?: Partial<Decision>[] };
    const isAnswer = Array.isArray(results) && results.length === checks.length;
    if (!isAnswer || !results.every((one) => typeof one.allowed === "boolean")) {
      throw new Unavailable("not an answer about permissions");
    }
    return results.map(({ allowed, reason }) => ({ allowed: allowed === true, reason: String(reason ?? "") }));
  }

  /** An account; undefined where there is no such (it needs `users.read`). */
  async user(id: string): Promise<User | undefined> {
    try {
      const user = (await this.call("GET", `/v1/users/${encodeURIComponent(id)}`)) as Partial<User> | null;
      if (typeof user?.id === "string" && typeof user.status === "string") return user as User;
    } catch (error) {
      if (error instanceof Refused && error.answered === 404) return undefined;
      throw error;
    }
    throw new Unavailable("not an account");
  }

  /** Any route of userd's, with the own token: the JSON that it answers. Throws `Refused` for what it will not do. */
  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<unknown> {
    const content = body === undefined ? {} : { body: JSON.stringify(body) };
    const type: Record<string, string> = body === undefined ? {} : { "content-type": "application/json" };
    return json(await this.#calls.ask(path, { method, headers: { ...type, ...headers }, ...content }));
  }

  /**
   * What happened, without end. The cursor is stored when a page has been worked through: an event whose handling failed
   * comes again. Throws `CursorExpired`.
   */
  events(store: CursorStore = new MemoryCursor(), options: EventOptions = {}): AsyncGenerator<UserdEvent, void> {
    return events(this.#calls, store, options);
  }

  /** Ends the follower and the calls under way. */
  close(): void {
    this.#ended.abort();
  }

  /** What a sign-out does, for tests. @internal */
  applyForTests(entries: readonly unknown[]): void {
    this.#view.apply(entries, Date.now() / 1000);
  }

  // --- keys

  async #verifyOffline(token: string): Promise<Token> {
    if (!this.#keys.isUsable(clock())) await this.#refreshKeys();
    else if (this.#keys.isDue(clock())) void this.#refreshKeys();
    if (!this.#keys.isUsable(clock())) throw new Unavailable("the key set cannot be had");
    try {
      return await this.#verifyOnce(token);
    } catch (error) {
      const isUnknown = error instanceof InvalidToken && error.reason === "unknown_key";
      if (!isUnknown || !(this.#refreshing || this.#keys.mayAsk(clock()))) throw error;
    }
    await this.#refreshKeys();
    return this.#verifyOnce(token);
  }

  async #verifyOnce(token: string): Promise<Token> {
    const now = Date.now() / 1000;
    const known = this.#remembered.get(token);
    if (known && this.#keys.get(known.keyId)) {
      checkTimes(known, this.settings, now);
      return known;
    }
    const verified = await verify(token, this.#keys, this.settings, now).catch((error: unknown) => {
      if (error instanceof InvalidToken && error.reason === "issuer") this.#watch.isWrong("issuer", error.message, error.message);
      throw error;
    });
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size < this.settings.maxTokens) break;
      this.#remembered.delete(oldest);
    }
    this.#remembered.set(token, verified);
    return verified;
  }

  /** Asks for the keys; what is known stays when that fails. */
  #refreshKeys(): Promise<void> {
    if (!this.#refreshing && !this.#keys.mayAsk(clock())) return Promise.resolve();
    this.#refreshing ??= this.#fetchKeys()
      .then(
        () => this.#watch.keysAre(),
        (error: unknown) => {
          if (!this.#keys.isUsable(clock())) this.#watch.keysFail(reasonOf(error));
        },
      )
      .finally(() => (this.#refreshing = undefined));
    return this.#refreshing;
  }

  async #fetchKeys(): Promise<void> {
    this.#keys.asked(clock());
    const answer = await this.#calls.call("/.well-known/jwks.json");
    const cacheControl = answer.headers.get("cache-control") ?? "";
    if (await this.#keys.replace(await json(answer), cacheControl, clock())) this.#remembered.clear();
  }

  // --- the feed

  async #follow(ready: () => void): Promise<void> {
    while (!this.#ended.signal.aborted) {
      const delay = await this.#poll();
      if (this.#view.age(clock()) < Infinity) ready();
      if (delay > 0) await pause(delay, this.#ended.signal);
    }
    ready();
  }

  async #poll(): Promise<number> {
    const began = clock();
    let error = "unreachable";
    try {
      const headers = { authorization: `Bearer ${await this.#calls.token()}` };
      const timeout = this.settings.wait + this.settings.timeout;
      const answer = await this.#calls.call(`/v1/revocations?${this.#feed.query()}`, { headers, timeout });
      if (answer.status === 410) return this.#feed.restart();
      // The revocation can be of the key that signed our own token.
      if (answer.status === 401) this.#calls.dropToken();
      if (answer.status !== 200) {
        this.#watch.feedFails(String(answer.status), told(await problemOf(answer)).slice(2));
        return this.#feed.failed(String(answer.status), Number(answer.headers.get("retry-after")) || 0);
      }
      error = "nonsense";
      const page = this.#feed.answered(await json(answer), Date.now() / 1000, clock(), clock() - began);
      if (page.keyRevoked) this.#keys.expire();
      this.#watch.feedGoes();
      return page.pause;
    } catch (cause) {
      if (cause instanceof CredentialsRefused) error = "credentials";
      if (cause instanceof Refused) error = String(cause.answered);
      if (!this.#ended.signal.aborted) this.#watch.feedFails(error, reasonOf(cause));
      return this.#feed.failed(error);
    }
  }

  // --- questions

  async #introspect(token: string, verified: Token): Promise<Token> {
    const body = new URLSearchParams({ token });
    const answer = await this.#calls.call("/oauth2/introspect", { method: "POST", headers: this.#calls.basic(), body });
    if (answer.status === 401) throw new CredentialsRefused(await problemOf(answer));
    const said = (await json(answer)) as { active?: unknown; jti?: unknown } | null;
    if (typeof said?.active !== "boolean") throw new Unavailable("not an answer about a token");
    if (!said.active || said.jti !== verified.tokenId) throw new InvalidToken("revoked");
    return verified;
  }

  async #ask(body: unknown): Promise<object> {
    const said = await this.call("POST", "/v1/permissions/check", body);
    return typeof said === "object" && said !== null ? said : {};
  }
}

/** For logs: what went wrong, and what lies beneath. */
function reasonOf(error: unknown): string {
  const words: string[] = [];
  for (let one: unknown = error; one instanceof Error; one = one.cause) words.push(one.message);
  return words.join(": ");
}
