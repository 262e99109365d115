/** How the feed of revocations is read: what to ask, what an answer means, how long to pause. No network in here. */

import type { View } from "./view.js";

const PAGE = 200;
const SHORTEST_PAUSE = 0.2;
const LONGEST_PAUSE = 5;

export class Feed {
  restarts = 0;
  failures = 0;
  error = "";
  #cursor: string | undefined;
  #isComplete = false;

  constructor(
    readonly view: View,
    readonly wait: number,
  ) {}

  /** The question. Only who has everything waits. */
  query(): URLSearchParams {
    const query = new URLSearchParams({ limit: String(PAGE) });
    if (this.#cursor !== undefined) query.set("after", this.#cursor);
    if (this.#isComplete) query.set("wait", String(this.wait));
    return query;
  }

  /** Takes a page: how long to pause, and whether a key was revoked. Throws on nonsense, before the place moves. */
  answered(body: unknown, now: number, clock: number, took: number): { pause: number; keyRevoked: boolean } {
    const { items, next_cursor: cursor, has_more: hasMore } = body as Record<string, unknown>;
    const isPage = Array.isArray(items) && typeof hasMore === "boolean" && (cursor === null || typeof cursor === "string");
    if (!isPage) throw new TypeError("not a page of the feed");
    const keyRevoked = this.view.apply(items, now);
    const hasMoved = cursor !== null && cursor !== this.#cursor;
    this.#cursor = cursor ?? this.#cursor;
    this.failures = 0;
    this.error = "";
    const askedToWait = this.#isComplete;
    this.#isComplete = !hasMore;
    if (hasMore) return { pause: hasMoved ? 0 : 1, keyRevoked };
    this.view.complete(clock);
    this.view.forget(now);
    // A server that does not hold the answer (it is about to stop) is not asked in a loop.
    const isHeld = items.length > 0 || took >= 1 || !askedToWait;
    return { pause: isHeld ? 0 : 1, keyRevoked };
  }

  /** 410: another feed than before. What is known still counts. */
  restart(): number {
    this.restarts += 1;
    this.#cursor = undefined;
    this.#isComplete = false;
    return this.failed("410");
  }

  /** How long to pause after a failure: longer each time, at random, so that many do not come at once. */
  failed(error: string, atLeast = 0): number {
    this.error = error;
    const longest = Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(this.failures, 10));
    this.failures += 1;
    return Math.max(Math.min(atLeast, 30), longest * (0.5 + Math.random() / 2));
  }
}
