/** The view of revocations: which tokens died before their time, and how old that knowledge is. */

import type { Token } from "./token.js";

interface Entry {
  /** The least version that is still accepted: `ver`, or the one of the role; where all is dead, more than any. */
  least: number;
  recordedAt: number;
  /** When it can be forgotten: all that it touches has expired. */
  until: number;
}

export class View {
  readonly #max: number;
  #entries = new Map<string, Entry>();
  #issuedBefore = 0;
  #completeAt: number | undefined;
  overflows = 0;

  constructor(maxEntries: number) {
    this.#max = maxEntries;
  }

  get size(): number {
    return this.#entries.size;
  }

  forbids(token: Token): boolean {
    const has = (kind: string, id: string, version = token.version) =>
      (this.#entries.get(`${kind} ${id}`)?.least ?? 0) > version;
    // A token without the version of a role is from before there were any.
    const allowsLess = (role: string) => has("role", role, token.roleVersions.get(role) ?? 0);
    const whose =
      token.sessionId === null
        ? has("client", token.clientId)
        : has("session", token.sessionId) || has("user", token.subject);
    const itself = has("token", token.tokenId) || has("key", token.keyId) || [...token.roles].some(allowsLess);
    return token.issuedAt < this.#issuedBefore || whose || itself;
  }

  /** Takes entries; an entry may come twice. Whether a key is among them. Throws on nonsense. */
  apply(entries: readonly unknown[], now: number): boolean {
    let hasKey = false;
    for (const entry of entries as Record<string, unknown>[]) {
      this.#take(entry);
      hasKey ||= entry["kind"] === "key";
    }
    if (this.size > this.#max) this.forget(now);
    if (this.size > this.#max) this.#coarsen(Math.floor(this.#max / 2));
    return hasKey;
  }

  /** The service has said that nothing is missing. */
  complete(clock: number): void {
    this.#completeAt = clock;
  }

  age(clock: number): number {
    return this.#completeAt === undefined ? Infinity : Math.max(0, clock - this.#completeAt);
  }

  /** Drops what can touch no living token. */
  forget(now: number): void {
    for (const [key, entry] of this.#entries) if (entry.until <= now) this.#entries.delete(key);
  }

  #take(entry: Record<string, unknown>): void {
    const until = seconds(entry["expires_at"]);
    const recordedAt = seconds(entry["recorded_at"]);
    const put = (id: unknown, least: unknown = Infinity) => {
      if (typeof id !== "string" || typeof least !== "number") throw new TypeError("not a revocation");
      const key = `${String(entry["kind"])} ${id}`;
      const before = this.#entries.get(key);
      this.#entries.set(key, {
        least: Math.max(least, before?.least ?? 0),
        recordedAt: Math.max(recordedAt, before?.recordedAt ?? 0),
        until: Math.max(until, before?.until ?? 0),
      });
    };
    switch (entry["kind"]) {
      case "session":
        return put(entry["session_id"]);
      case "token":
        return put(entry["token_id"]);
      case "key":
        return put(entry["kid"]);
      case "user":
        return put(entry["user_id"], entry["min_epoch"] ?? null);
      case "client":
        return put(entry["client_id"], entry["before"] ?? null);
      case "role":
        return put(entry["role"], entry["min_version"] ?? null);
      case "all":
        this.#issuedBefore = Math.max(this.#issuedBefore, Math.floor(seconds(entry["issued_before"])));
    }
  }

  /** The older ones become "all that was issued until then": it refuses more, never less. Keys and roles stay: they touch
   * tokens that are issued later too. */
  #coarsen(keep: number): void {
    const others = [...this.#entries].filter(([key]) => !/^(key|role) /.test(key));
    others.sort(([, one], [, other]) => one.recordedAt - other.recordedAt);
    const dropped = others.slice(0, Math.max(1, others.length - keep));
    for (const [key, entry] of dropped) {
      this.#issuedBefore = Math.max(this.#issuedBefore, Math.floor(entry.recordedAt) + 1);
      this.#entries.delete(key);
    }
    this.overflows += 1;
  }
}

function seconds(text: unknown): number {
  const time = typeof text === "string" ? Date.parse(text) : NaN;
  if (Number.isNaN(time)) throw new TypeError("not a time");
  return time / 1000;
}
