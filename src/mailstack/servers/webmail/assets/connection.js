// One's way to the server, for all accounts: the session object, and what waits while nobody is signed in. RFC 8620 §2.

import { Changes } from "./changes.js";
import { asked, SignedOut, Unreachable } from "./jmap.js";
import { Observable } from "./observable.js";

async function askedSession() {
  return (await asked("/jmap/session")).json();
}

// Raises SignedOut, Unreachable.
export async function connect() {
  return new Connection(await askedSession());
}

export class Connection extends Observable {
  constructor(session) {
    super();
    this.session = session;
    this.changes = new Changes(session.eventSourceUrl, {
      onHeard: (accountIds) => accountIds.some((id) => !(id in this.session.accounts)) && this.refresh(),
      // A stream does not say why it is refused.
      onRefused: () => this.refresh(),
    });
    this._refreshing = null;
    this._signIn = null;
  }

  // Whether somebody has to sign in before anything goes on.
  get isSignedOut() {
    return this._signIn !== null;
  }

  ask(path, options) {
    return this.whileSignedIn(() => asked(path, options));
  }

  // What is refused because the sign-in has ended is done once there is another.
  async whileSignedIn(work) {
    for (;;) {
      try {
        return await work();
      } catch (error) {
        if (!(error instanceof SignedOut)) throw error;
      }
      await this._signedInAgain();
    }
  }

  // After a sign-in. Who is somebody else begins with nothing of what is here.
  async resume(onSomebodyElse) {
    const session = await askedSession();
    if (session.username !== this.session.username) return onSomebodyElse();
    this.session = session;
    this._signIn.done();
    this._signIn = null;
    this.changes.openAgain();
    this.changed();
    return undefined;
  }

  // RFC 8620 §3.4: with another state, the session is another: what others share comes and goes.
  heardOf(sessionState) {
    if (sessionState !== this.session.state) this.refresh();
  }

  refresh() {
    this._refreshing ??= this._refresh().finally(() => (this._refreshing = null));
    return this._refreshing;
  }

  async _refresh() {
    try {
      this.session = await this.whileSignedIn(askedSession);
      this.changed();
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
    }
  }

  _signedInAgain() {
    if (!this._signIn) {
      this._signIn = {};
      this._signIn.promise = new Promise((resolve) => (this._signIn.done = resolve));
      this.changed();
    }
    return this._signIn.promise;
  }
}
