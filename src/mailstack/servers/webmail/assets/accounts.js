// One's own mail, and that of others who share some of it, for as long as they do.

import { Jmap, MAIL } from "./jmap.js";
import { Mail } from "./mail.js";
import { Observable } from "./observable.js";

export class Accounts extends Observable {
  constructor(connection) {
    super();
    this.connection = connection;
    this.own = new Mail(new Jmap(connection));
    this.shared = [];
    this._stopFollowing = () => {};
    this._stopWaiting = () => {};
  }

  get all() {
    return [this.own, ...this.shared.map(({ mail }) => mail)];
  }

  // mailboxId: the one to open first, where there is one of that name. What kept it from being opened, `opening` tells.
  async start(mailboxId) {
    this.own.watch(() => this.changed());
    await this.own.start();
    // Asked for before all else is drawn: the one takes as long as the other.
    const first = this.own.mailboxes.get(mailboxId) ?? this.own.mailboxWithRole("inbox");
    this.opening = Promise.resolve(first && this.own.openMailbox(first.id)).then(() => null, (error) => error);
    this._follow();
    this._followAlways();
  }

  // With no connection: as it was left. What others share comes with the next session.
  restore({ own }) {
    this.own.restore(own);
    this.own.watch(() => this.changed());
    this.own.isOnline = false;
    this.own.listen();
    this.opening = Promise.resolve(null);
    this._followAlways();
    this._stopWaiting = this.own.jmap.listen(() => {}, (isHeard) => isHeard && this.connection.refresh());
  }

  toKeep() {
    return { session: this.connection.session, own: this.own.toKeep() };
  }

  stop() {
    this._stopFollowing();
    this._stopWaiting();
    for (const mail of this.all) mail.stop?.();
  }

  _followAlways() {
    this._stopFollowing = this.connection.watch(() => {
      this._follow();
      this.changed();
    });
  }

  _follow() {
    const { accounts } = this.connection.session;
    const isHere = (id) => id !== this.own.jmap.accountId && MAIL in (accounts[id]?.accountCapabilities ?? {});
    const gone = this.shared.filter(({ mail }) => !isHere(mail.jmap.accountId));
    for (const { mail } of gone) mail.stop?.();
    const kept = this.shared.filter((each) => !gone.includes(each));
    const known = new Set(kept.map(({ mail }) => mail.jmap.accountId));
    const found = Object.keys(accounts).filter((id) => isHere(id) && !known.has(id)).map((id) => this._shared(id, accounts[id]));
    this.shared = [...kept, ...found].sort((a, b) => a.owner.localeCompare(b.owner));
  }

  _shared(id, { name }) {
    const mail = new Mail(new Jmap(this.connection, id));
    mail.watch(() => this.changed());
    // It may come later, or not at all.
    mail.start().catch(() => {});
    return { owner: name, mail };
  }
}
