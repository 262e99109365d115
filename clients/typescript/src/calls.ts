/** Calls of the service: with a time limit, without redirects, with the own account's token. */

import { CredentialsRefused, Refused, told, Unavailable, type Problem } from "./errors.js";
import type { Settings } from "./settings.js";

/** Seconds of a clock that does not go back. */
export const clock = (): number => performance.now() / 1000;

interface Call {
  method?: string;
  headers?: Record<string, string>;
  body?: string | URLSearchParams;
  timeout?: number;
}

/** An access token of the service account for one resource. */
interface OwnToken {
  text: string;
  goodUntil: number;
  renewAt: number;
  renewing?: Promise<string> | undefined;
}

export class Calls {
  /** By resource. */
  readonly #own = new Map<string, OwnToken>();

  constructor(
    readonly settings: Settings,
    private readonly fetcher: typeof fetch,
    readonly ended: AbortSignal,
  ) {}

  /** One call; any answer is one. Throws `Unavailable` where there is none. */
  async call(path: string, { timeout = this.settings.timeout, ...what }: Call = {}): Promise<Response> {
    // Not `AbortSignal.any`: what is bound to a signal that lives as long as the process is kept as long.
    const limit = new AbortController();
    const end = () => limit.abort();
    const timer = setTimeout(end, timeout * 1000);
    this.ended.addEventListener("abort", end, { once: true });
    try {
      this.ended.throwIfAborted();
      const request = { ...what, redirect: "manual" as const, signal: limit.signal };
      const answer = await this.fetcher.call(globalThis, this.settings.base + path, request);
      // Within the time limit too.
      const body = await answer.arrayBuffer();
      return new Response(body.byteLength ? body : null, { status: answer.status || 502, headers: answer.headers });
    } catch (cause) {
      throw new Unavailable("the service cannot be reached", { cause });
    } finally {
      clearTimeout(timer);
      this.ended.removeEventListener("abort", end);
    }
  }

  /** The same with the own token; once more with a new one where that is refused. */
  async ask(path: string, what: Call = {}): Promise<Response> {
    const shown = async () => ({ ...what, headers: { ...what.headers, authorization: `Bearer ${await this.token()}` } });
    const answer = await this.call(path, await shown());
    if (answer.status !== 401) return mustBeGood(answer, path);
    this.dropToken();
    return mustBeGood(await this.call(path, await shown()), path);
  }

  /** The access token of the service account, for userd or for another service; renewed before it ends. */
  async token(resource = this.settings.userdAudience): Promise<string> {
    const own = this.#own.get(resource) ?? { text: "", goodUntil: 0, renewAt: 0 };
    this.#own.set(resource, own);
    const now = clock();
    if (now >= own.goodUntil) return this.#renew(own, resource);
    if (now >= own.renewAt) {
      own.renewAt = now + 1;
      void this.#renew(own, resource).catch(() => undefined);
    }
    return own.text;
  }

  /** The one for userd is refused. */
  dropToken(): void {
    const own = this.#own.get(this.settings.userdAudience);
    if (own) own.goodUntil = 0;
  }

  basic(): Record<string, string> {
    const { clientId, clientSecret, follows } = this.settings;
    if (!follows) throw new Unavailable("clientId and clientSecret are not set");
    return { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` };
  }

  #renew(own: OwnToken, resource: string): Promise<string> {
    own.renewing ??= this.#fetchToken(own, resource).finally(() => (own.renewing = undefined));
    return own.renewing;
  }

  async #fetchToken(own: OwnToken, resource: string): Promise<string> {
    let answer = await this.#askForToken({ resource });
    // A userd that goes by another name: what the account gets by itself is for it, as a rule.
    const isItself = resource === this.settings.userdAudience;
    if (isItself && (await problemOf(answer))?.slug === "invalid_target") answer = await this.#askForToken({});
    if (answer.status === 401) throw new CredentialsRefused(await problemOf(answer));
    await mustBeGood(answer, "/oauth2/token");
    const said = (await json(answer)) as { access_token?: unknown; expires_in?: unknown } | null;
    if (typeof said?.access_token !== "string" || typeof said.expires_in !== "number") {
      throw new Unavailable(`no token of our own: ${answer.status}`);
    }
    const now = clock();
    own.text = said.access_token;
    own.goodUntil = now + said.expires_in * 0.95;
    own.renewAt = now + said.expires_in * 0.75;
    return own.text;
  }

  #askForToken(more: Record<string, string>): Promise<Response> {
    const body = new URLSearchParams({ grant_type: "client_credentials", ...more });
    return this.call("/oauth2/token", { method: "POST", headers: this.basic(), body });
  }
}

/** What a call of ours came to. 410 is for whoever asked. */
async function mustBeGood(answer: Response, path: string): Promise<Response> {
  const { status } = answer;
  if (status >= 400 && status < 500 && ![401, 408, 410, 429].includes(status)) {
    throw new Refused(path, status, await problemOf(answer));
  }
  return answer;
}

/** What an answer that is an error says of itself; undefined where it says nothing that can be read. */
export async function problemOf(answer: Response): Promise<Problem | undefined> {
  if (answer.ok) return undefined;
  const said = (await answer.clone().json().catch(() => null)) as Record<string, unknown> | null;
  const text = (name: string) => (typeof said?.[name] === "string" ? said[name] : "");
  const type = text("type") || text("error_uri");
  const slug = text("error") || (type.split("/").pop() ?? "");
  if (slug === "") return undefined;
  const fields = (Array.isArray(said?.["errors"]) ? said["errors"] : []) as Record<string, unknown>[];
  const errors = fields.map((field) => ({ pointer: String(field?.["pointer"]), detail: String(field?.["detail"]) }));
  return { type, slug, title: text("title") || text("error_description"), detail: text("detail"), errors };
}

/** The JSON of a good answer, if it has any; `Unavailable` for any other. */
export async function json(answer: Response): Promise<unknown> {
  if (answer.status === 204) return undefined;
  if (!answer.ok) {
    const problem = await problemOf(answer);
    throw new Unavailable(`the service answered ${answer.status}${told(problem)}`, { answered: answer.status, problem });
  }
  try {
    return await answer.json();
  } catch (cause) {
    throw new Unavailable("the service answered nonsense", { cause });
  }
}

/** A pause that ends with the signal. It keeps the process alive: whoever waits for an answer or for events goes on. */
export function pause(seconds: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      ended.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, seconds * 1000);
    ended.addEventListener("abort", done, { once: true });
    if (ended.aborted) done();
  });
}
