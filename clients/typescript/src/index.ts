/** Trusts tokens of a userd: verified offline, with the revocations of the last second. For Node and for the edge. */

export { CredentialsRefused, CursorExpired, Forbidden, InvalidToken, InvalidWebhook, Refused, Unavailable, UserdError } from "./errors.js";
export type { Problem, Reason } from "./errors.js";
export { MemoryCursor, type CursorStore, type UserdEvent } from "./events.js";
export { refusal, type Refusal } from "./refusal.js";
export type { Options, WhenStale } from "./settings.js";
export { Token } from "./token.js";
export { Userd, type Check, type Decision, type FeedStatus, type User } from "./userd.js";
export { Webhook } from "./webhooks.js";
