/** The event feed: what happened, each event at least once, from a stored place on. */

import { json, pause, type Calls } from "./calls.js";
import { CredentialsRefused, CursorExpired, Unavailable } from "./errors.js";

/** A CloudEvent. `docs/events.md` of userd has the types; ignore those that you do not know. */
export interface UserdEvent {
  readonly id: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  /** Grows within a subject. */
  readonly sequence?: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Where the place in the feed is kept; best in the transaction that handles the events. */
export interface CursorStore {
  load(): Promise<string | undefined> | string | undefined;
  save(cursor: string): Promise<void> | void;
}

/** Forgotten with the process. */
export class MemoryCursor implements CursorStore {
  constructor(private cursor?: string) {}

  load(): string | undefined {
    return this.cursor;
  }

  save(cursor: string): void {
    this.cursor = cursor;
  }
}

export interface EventOptions {
  /** Events per page, 1 to 200. */
  limit?: number;
  /** How long an empty answer is held, in seconds. */
  wait?: number;
}

/** What happened, without end. */
export async function* events(calls: Calls, store: CursorStore, options: EventOptions): AsyncGenerator<UserdEvent, void> {
  const { limit = 200, wait = 10 } = options;
  let delay = 0.2;
  while (!calls.ended.aborted) {
    let page: { items: UserdEvent[]; next: string };
    try {
      page = await pageOf(calls, await store.load(), limit, wait);
      delay = 0.2;
    } catch (error) {
      if (!(error instanceof Unavailable) || error instanceof CredentialsRefused) throw error;
      await pause(delay, calls.ended);
      delay = Math.min(delay * 2, 5);
      continue;
    }
    yield* page.items;
    await store.save(page.next);
  }
}

async function pageOf(calls: Calls, after: string | undefined, limit: number, wait: number) {
  const query = new URLSearchParams({ limit: String(limit), wait: String(wait), ...(after ? { after } : {}) });
  const answer = await calls.ask(`/v1/events?${query}`, { timeout: wait + calls.settings.timeout });
  if (answer.status === 410) throw new CursorExpired("the events behind the cursor are gone");
  const body = (await json(answer)) as { items?: unknown; next?: unknown };
  if (!Array.isArray(body.items) || typeof body.next !== "string" || !body.items.every(isEvent)) {
    throw new Unavailable("not a page of events");
  }
  return { items: body.items, next: body.next };
}

export function isEvent(value: unknown): value is UserdEvent {
  const event = value as Record<string, unknown> | null;
  return ["id", "type", "subject", "time"].every((name) => typeof event?.[name] === "string");
}
