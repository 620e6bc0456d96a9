// One's own mail, and that of others who share some of it.

import { Observable } from "./observable.js";
import { MAIL } from "./jmap.js";
import { Mail } from "./mail.js";

export class Accounts extends Observable {
  constructor(jmap) {
    super();
    this.own = new Mail(jmap);
    this.shared = Object.entries(jmap.session.accounts)
      .filter(([id, account]) => id !== jmap.accountId && MAIL in account.accountCapabilities)
      .map(([id, account]) => ({ owner: account.name, mail: new Mail(jmap.inAccount(id)) }));
  }

  get all() {
    return [this.own, ...this.shared.map(({ mail }) => mail)];
  }

  // mailboxId: the one to open first, where there is one of that name. What kept it from being opened, `opening` tells.
  async start(mailboxId) {
    for (const mail of this.all) mail.watch(() => this.changed());
    await this.own.start();
    // Asked for before all else is drawn: the one takes as long as the other.
    const first = this.own.mailboxes.get(mailboxId) ?? this.own.mailboxWithRole("inbox");
    this.opening = Promise.resolve(first && this.own.openMailbox(first.id)).then(() => null, (error) => error);
    // What others share may come later, or not at all.
    for (const { mail } of this.shared) mail.start().catch(() => {});
  }

  stop() {
    for (const mail of this.all) mail.stop?.();
  }
}
