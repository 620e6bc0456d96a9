// Changes of emails on their way to the server. What finds no connection waits for one, in the order that it was done in.

import { requireSet, Unreachable } from "./jmap.js";

// What is gone already need not be changed.
function exceptGone({ notUpdated }) {
  return { notUpdated: Object.fromEntries(Object.entries(notUpdated ?? {}).filter(([, { type }]) => type !== "notFound")) };
}

const RETRY_MS = 5000;

export class Outbox {
  // onDue: when it is time to try again.
  constructor(jmap, onChange, onDue) {
    this._jmap = jmap;
    this._onChange = onChange;
    this._onDue = onDue;
    this._timer = 0;
    this._emptying = null;
    this.waiting = [];
  }

  // Returns once it is done, or kept to be done.
  async set(change) {
    if (this.waiting.length) return this._keep(change);
    try {
      requireSet(exceptGone(await this._jmap.call("Email/set", change)));
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      this._keep(change);
    }
    return undefined;
  }

  // Raises Unreachable. What the server does not do any more, since the mail is gone or elsewhere, is let go: it is as it was found there.
  empty() {
    this._emptying ??= this._empty().finally(() => (this._emptying = null));
    return this._emptying;
  }

  async _empty() {
    while (this.waiting.length) {
      try {
        await this._jmap.call("Email/set", this.waiting[0]);
      } catch (error) {
        if (error instanceof Unreachable) {
          this._tryLater();
          throw error;
        }
      }
      this.waiting.shift();
      this._onChange();
    }
  }

  _keep(change) {
    this.waiting.push(change);
    this._tryLater();
    this._onChange();
  }

  _tryLater() {
    clearTimeout(this._timer);
    this._timer = setTimeout(this._onDue, RETRY_MS);
  }
}
