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

  async start() {
    for (const mail of this.all) mail.watch(() => this.changed());
    await this.own.start();
    // What others share may come later, or not at all.
    for (const { mail } of this.shared) mail.start().catch(() => {});
  }

  stop() {
    for (const mail of this.all) mail.stop?.();
  }
}
