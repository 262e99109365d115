/** Webhooks: whether a call is genuine (Standard Webhooks). */

import { InvalidWebhook } from "./errors.js";
import { isEvent, type UserdEvent } from "./events.js";

const TOLERANCE = 300;
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** A webhook with its secret; two while the secret is being replaced. */
export class Webhook {
  readonly #keys: Promise<CryptoKey[]>;

  constructor(...secrets: string[]) {
    if (secrets.length === 0) throw new TypeError("a webhook has a secret");
    const keys = secrets.map((secret) => bytes(secret.replace(/^whsec_/, "")));
    if (!keys.every((key) => key?.length)) throw new TypeError("a secret is base64 behind whsec_");
    this.#keys = Promise.all(
      keys.map((key) => crypto.subtle.importKey("raw", key as Uint8Array<ArrayBuffer>, HMAC, false, ["verify"])),
    );
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
    const signatures = shown
      .split(" ")
      .filter((part) => part.startsWith("v1,"))
      .map((part) => bytes(part.slice(3)));
    for (const key of await this.#keys) {
      for (const signature of signatures) {
        if (signature && (await crypto.subtle.verify("HMAC", key, signature, signed))) return true;
      }
    }
    return false;
  }
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
