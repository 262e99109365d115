/** Webhooks: whether a call is genuine (Standard Webhooks). */

import { InvalidWebhook } from "./errors.js";
import { isEvent, type UserdEvent } from "./events.js";

const TOLERANCE = 300;
const HMAC = { name: "HMAC", hash: "SHA-256" };

const ED25519 = { name: "Ed25519" };

/** What a webhook's calls are verified with, and the kind of signature that it takes: each its own alone. */
interface Key {
  readonly version: "v1" | "v1a";
  readonly key: CryptoKey;
}

/** A webhook with its secret (`whsec_…`) or its public key (`whpk_…`); two while one is being replaced. */
export class Webhook {
  readonly #keys: Promise<Key[]>;

  constructor(...secrets: string[]) {
    if (secrets.length === 0) throw new TypeError("a webhook has a secret");
    const keys = Promise.all(secrets.map((secret) => (secret.startsWith("whpk_") ? publicKey(secret) : secretKey(secret))));
    // Whoever verifies hears of it, where this runtime has no Ed25519; nobody else does.
    keys.catch(() => {});
    this.#keys = keys;
  }

  /**
   * The event of a call: give the body as it came, before any JSON is read. Throws `InvalidWebhook`. The id of the call,
   * `webhook-id`, is the same when it is sent again: do nothing then.
   */
  async verify(
    body: string | Uint8Array,
    headers: Headers | Record<string, string | string[] | undefined>,
    now = Date.now() / 1000,
  ): Promise<UserdEvent> {
    const [id, time, shown] = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => header(headers, name));
    if (!id || !time || !/^\d{1,15}$/.test(time) || !shown) throw new InvalidWebhook("headers are missing");
    if (Math.abs(now - Number(time)) > TOLERANCE) throw new InvalidWebhook("too old, or from the future");
    const content = typeof body === "string" ? new TextEncoder().encode(body) : body;
    const prefix = new TextEncoder().encode(`${id}.${time}.`);
    const signed = new Uint8Array(prefix.length + content.length);
    signed.set(prefix);
    signed.set(content, prefix.length);
    if (!(await this.#isSigned(signed, shown))) throw new InvalidWebhook("no signature is right");
    return eventOf(new TextDecoder().decode(content));
  }

  async #isSigned(signed: Uint8Array<ArrayBuffer>, shown: string): Promise<boolean> {
    for (const { version, key } of await this.#keys) {
      for (const part of shown.split(" ").filter((part) => part.startsWith(`${version},`))) {
        const signature = bytes(part.slice(version.length + 1));
        if (signature && (await crypto.subtle.verify(key.algorithm.name, key, signature, signed))) return true;
      }
    }
    return false;
  }
}

function secretKey(secret: string): Promise<Key> {
  const key = bytes(secret.replace(/^whsec_/, ""));
  if (!key?.length) throw new TypeError("a secret is base64 behind whsec_");
  return crypto.subtle.importKey("raw", key, HMAC, false, ["verify"]).then((key) => ({ version: "v1", key }));
}

function publicKey(text: string): Promise<Key> {
  const key = bytes(text.slice("whpk_".length));
  if (key?.length !== 32) throw new TypeError("a public key is 32 bytes in base64 behind whpk_");
  return crypto.subtle.importKey("raw", key, ED25519, false, ["verify"]).then((key) => ({ version: "v1a", key }));
}

function eventOf(body: string): UserdEvent {
  try {
    const event: unknown = JSON.parse(body);
    if (isEvent(event)) return event;
  } catch {
    // No JSON.
  }
  throw new InvalidWebhook("not an event");
}

function header(headers: Headers | Record<string, string | string[] | undefined>, name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const value = Object.entries(headers).find(([other]) => other.toLowerCase() === name)?.[1];
  return Array.isArray(value) ? value[0] : value;
}

function bytes(base64: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    return Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  } catch {
    return undefined;
  }
}
