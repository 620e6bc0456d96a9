// Changes of emails on their way to the server. What finds no connection waits for one, in the order that it was done in.

import { requireSet, Unreachable } from "./jmap.js";

// What is gone already need not be changed.
function exceptGone({ notUpdated }) {
  return { notUpdated: Object.fromEntries(Object.entries(notUpdated ?? {}).filter(([, { type }]) => type !== "notFound")) };
}

export class Outbox {
  // onKept: when something waits, and somebody has to empty it later.
  constructor(jmap, onChange, onKept) {
    this._jmap = jmap;
    this._onChange = onChange;
    this._onKept = onKept;
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
        if (error instanceof Unreachable) throw error;
      }
      this.waiting.shift();
      this._onChange();
    }
  }

  _keep(change) {
    this.waiting.push(change);
    this._onKept();
    this._onChange();
  }
}
