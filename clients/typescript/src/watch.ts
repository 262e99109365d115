/** Says once, when it begins and when it ends, that tokens cannot be verified as they should. */

import type { Settings } from "./settings.js";

export class Watch {
  /** Of each thing, what is wrong with it. */
  readonly #wrong = new Map<string, string>();

  constructor(private readonly settings: Settings) {}

  /** `what` is not well, by this reason; `more` is what is known about it. */
  isWrong(what: string, reason: string, message: string): void {
    if (this.#wrong.get(what) === reason) return;
    this.#wrong.set(what, reason);
    this.settings.log(`userd: ${message}`);
  }

  isWell(what: string, message: string): void {
    if (this.#wrong.delete(what)) this.settings.log(`userd: ${message}`);
  }

  feedFails(reason: string, more: string): void {
    const { whenStale, maxAge } = this.settings;
    const then = { refuse: "tokens are answered 503", accept: "tokens are trusted by their signature alone", introspect: "userd is asked about each token" };
    const told = more ? `${reason}: ${more}` : reason;
    this.isWrong("feed", reason, `revocations cannot be followed (${told}); once that lasts ${maxAge} s, ${then[whenStale]}`);
  }

  feedGoes(): void {
    this.isWell("feed", "revocations are followed again");
  }

  keysFail(more: string): void {
    this.isWrong("keys", "away", `the key set of ${this.settings.base} cannot be had (${more}); tokens are answered 503`);
  }

  keysAre(): void {
    this.isWell("keys", "the key set is there");
  }
}
