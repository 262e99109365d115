/** What the application says once. */

export type WhenStale = "refuse" | "accept" | "introspect";

/** Times are seconds. */
export interface Options {
  /** `iss` of the tokens. */
  issuer: string;
  /** `aud` that tokens must be for: this service. Default: `userd`. */
  audience?: string;
  /** Where the service answers, when that is not the issuer (inside a cluster). */
  baseUrl?: string;
  /** The service account. Without it revocations are not followed: a token is good until it expires. */
  clientId?: string;
  clientSecret?: string;
  /** The audience of userd itself, the first of its `tokens.audience`: the own token is asked for it. Default: `userd`. */
  userdAudience?: string;
  /** How far clocks may be apart, at most 60. Default: 10. */
  leeway?: number;
  /** What happens while the view of revocations is too old: 503 (the default), trust in the signature alone, or a question a token. */
  whenStale?: WhenStale;
  /** How old the view may be; more than `wait`. Default: 30. */
  maxAge?: number;
  /** How long one question for revocations is held, 1 to 25. Default: 10. */
  wait?: number;
  /** The longest any other call may take. Default: 5. */
  timeout?: number;
  /** Revocations that are kept. Beyond it the oldest are replaced by one that refuses more than they did. Default: 100,000. */
  maxEntries?: number;
  /** Verified tokens that are remembered, so that each is verified once. Default: 10,000. */
  maxTokens?: number;
  /** Hears once why tokens cannot be verified as they should, and once that they can again. Default: `console.warn`. */
  log?: (message: string) => void;
  /** A key set that is never asked for. */
  keys?: unknown;
  /** In place of the global `fetch`. */
  fetch?: typeof fetch;
}

export type Settings = Required<Omit<Options, "keys" | "fetch">> & { base: string; follows: boolean };

export function settle(options: Options): Settings {
  const { keys: _keys, fetch: _fetch, ...rest } = options;
  // A variable that is not set says nothing.
  const said = Object.fromEntries(Object.entries(rest).filter(([, value]) => value !== undefined)) as typeof rest;
  const settings = {
    audience: "userd",
    baseUrl: "",
    clientId: "",
    clientSecret: "",
    userdAudience: "userd",
    leeway: 10,
    whenStale: "refuse" as const,
    maxAge: 30,
    wait: 10,
    timeout: 5,
    maxEntries: 100_000,
    maxTokens: 10_000,
    log: (message: string) => console.warn(message),
    ...said,
  };
  const { issuer, audience, userdAudience, clientId, clientSecret, leeway, whenStale, maxAge, wait, maxEntries } = settings;
  demand(/^https?:\/\//.test(issuer), "issuer must be an http(s) URL");
  demand(audience !== "" && userdAudience !== "", "an audience must not be empty");
  demand((clientId === "") === (clientSecret === ""), "clientId and clientSecret go together");
  demand(["refuse", "accept", "introspect"].includes(whenStale), "whenStale is refuse, accept or introspect");
  demand(leeway >= 0 && leeway <= 60, "leeway is 0 to 60 seconds");
  demand(Number.isInteger(wait) && wait >= 1 && wait <= 25, "wait is 1 to 25 seconds");
  demand(maxAge > wait, "maxAge is more than wait");
  demand(maxEntries >= 16, "maxEntries is 16 or more");
  const base = (settings.baseUrl || issuer).replace(/\/+$/, "");
  return { ...settings, base, follows: clientId !== "" };
}

function demand(isSo: boolean, what: string): void {
  if (!isSo) throw new TypeError(what);
}
