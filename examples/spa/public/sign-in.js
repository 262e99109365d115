// Signing in at userd's own pages: a proof key, a one-time code (RFC 7636), and tokens that live in memory alone. Whoever
// reloads the page is sent there again and comes back at once, as long as the browser is signed in at userd.

const KEPT = "sign-in";

const base64url = (bytes) =>
  btoa(String.fromCharCode(...new Uint8Array(bytes))).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
const random = () => base64url(crypto.getRandomValues(new Uint8Array(32)));

/** One of `sign_in.return_to` in userd's configuration, letter by letter. */
const returnTo = () => `${location.origin}/`;

/** Sends the browser to userd. */
export async function begin(userd) {
  const verifier = random();
  const state = random();
  sessionStorage.setItem(KEPT, JSON.stringify({ verifier, state }));
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(verifier));
  const query = new URLSearchParams({ return_to: returnTo(), code_challenge: base64url(digest), state });
  location.assign(`${userd}/sign-in?${query}`);
}

/** A session, where the browser comes back with a code; null where it comes otherwise. */
export async function finish(userd) {
  const query = new URLSearchParams(location.search);
  const code = query.get("code");
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  sessionStorage.removeItem(KEPT);
  history.replaceState(null, "", returnTo());
  if (query.has("error")) throw new Error(query.get("error"));
  if (!code) return null;
  // A code that somebody else sent here would sign us in as them.
  if (!kept || kept.state !== query.get("state")) throw new Error("this sign-in was not begun here");
  return new Session(userd, await post(`${userd}/v1/auth/exchange`, { code, code_verifier: kept.verifier }));
}

class Session {
  #userd;
  #tokens;
  #renewing = null;

  constructor(userd, tokens) {
    this.#userd = userd;
    this.#tokens = tokens;
  }

  get user() {
    return this.#tokens.user;
  }

  /** `fetch` with the access token; renewed once where it is refused. */
  async fetch(url, options = {}) {
    const answer = await this.#fetch(url, options);
    if (answer.status !== 401) return answer;
    await this.#renew();
    return this.#fetch(url, options);
  }

  async signOut() {
    await this.#fetch(`${this.#userd}/v1/auth/logout`, { method: "POST" });
  }

  #fetch(url, options) {
    const headers = { ...options.headers, authorization: `Bearer ${this.#tokens.access_token}` };
    return fetch(url, { ...options, headers });
  }

  /** Once for all who ask meanwhile: a refresh token is good for one use. */
  #renew() {
    this.#renewing ??= post(`${this.#userd}/v1/auth/refresh`, { refresh_token: this.#tokens.refresh_token })
      .then((tokens) => (this.#tokens = tokens))
      .finally(() => (this.#renewing = null));
    return this.#renewing;
  }
}

async function post(url, body) {
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify(body) });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.title);
  return said;
}
