// Mail that is being written: kept here and in Drafts, and given to be sent.

import { Attaching } from "./attaching.js";
import { emailOf, filesOf, recipientsOf } from "./draft_email.js";
import { MethodError, requireSet, Unreachable } from "./jmap.js";
import { Observable } from "./observable.js";
import { attempted, checkTime, submitted } from "./sending.js";
import { t } from "./texts.js";

const SAVE_MS = 2000;
const RETRY_MS = 5000;
const TRIES = 5;
const WRITTEN = ["identityId", "to", "cc", "bcc", "subject", "isRich", "html", "text"];
const FILE = ["blobId", "type", "name", "size", "cid", "isInline"];
// attempt: to send it, of which nobody knows yet what became. unsure: Message-IDs of saves of which nobody does.
// outdated: drafts that have a successor.
const KEPT = [...WRITTEN, "inReplyTo", "references", "savedId", "origin", "attempt", "unsure", "outdated"];

// The text that a reload of the page would lose: of this tab, and until sign-out.
const key = (mail) => `writing-${mail.jmap.accountId}`;

export function recovered(mail) {
  const kept = sessionStorage.getItem(key(mail));
  if (!kept) return null;
  const draft = new Draft(mail, JSON.parse(kept));
  // What is perhaps on its way is not to become another draft.
  if (!draft.attempt) draft.touched();
  return draft;
}

export function forget(mail) {
  sessionStorage.removeItem(key(mail));
}

export class Draft extends Observable {
  // origin: { id, keyword, wasSet }, what it answers or passes on; wasSet: that has the keyword for another reason.
  constructor(mail, fields) {
    super();
    this.mail = mail;
    Object.assign(this, {
      to: "", cc: "", bcc: "", subject: "", isRich: true, html: "", text: "", attachments: [], unsure: [], outdated: [], attempt: null,
    }, fields);
    this.files = new Attaching(this);
    this.fault = "";
    this.state = this.savedId ? "saved" : "new";
    this._timer = 0;
    this._saving = null;
    this._version = 0;
    this._savedVersion = 0;
    this._isStopped = false;
    // It was changed, sent or thrown away elsewhere meanwhile, and this is another draft now.
    this.isForked = false;
    this._sent = [];
    this._tried = new Set();
  }

  get identity() {
    return this.mail.identities.find((each) => each.id === this.identityId) ?? this.mail.identities[0];
  }

  // Where a picture of the text is to be had here; "" for none of this draft.
  pictureUrl(cid) {
    const file = this.attachments.find((each) => each.isInline && each.cid === cid);
    return file ? file.url ?? this.mail.jmap.downloadUrl(file.blobId, file.name, file.type) : "";
  }

  get isSafe() {
    return !this.attempt && (this.state === "saved" || this.state === "new");
  }

  edit(fields) {
    Object.assign(this, fields);
    this.touched();
  }

  tell(fault) {
    this.fault = fault;
    this.changed();
  }

  touched() {
    this._version += 1;
    this.state = "changed";
    this._keep();
    this._saveIn(SAVE_MS);
    this.changed();
  }

  // One at a time. The one before goes when its successor is there, never sooner.
  save() {
    clearTimeout(this._timer);
    this._saving ??= this._save().finally(() => (this._saving = null));
    return this._saving;
  }

  async saveAll() {
    if (this.attempt) return;
    if (this._saving) await this._saving.catch(() => {});
    while (this._version !== this._savedVersion) await this.save();
  }

  // Nothing of it is on its way any more, and nothing will be.
  async end() {
    this.stop();
    await this._saving?.catch(() => {});
    this.stop();
  }

  // at: null, or the Date it goes. Returns the submission's id, null where it was stopped meanwhile; throws what no
  // later try would mend. What an earlier try did is found first, before and after a reload.
  async send(at = null) {
    if (!this.attempt) await this._begin(at);
    const { at: when, ...of } = this.attempt;
    try {
      const id = await submitted(this.mail, of, when, {
        done: () => this.mark(true), isStopped: () => this._isStopped, onWaiting: () => this.tell(t("goesLater")),
      });
      if (id) this.stop();
      return id;
    } catch (error) {
      // A server that is at fault itself may have done it.
      if (error instanceof MethodError && !error.type.startsWith("server")) this.attempt = null;
      this.changed();
      throw error;
    }
  }

  // Of what it answers or passes on.
  async mark(isSent) {
    const { origin } = this;
    if (!origin || origin.wasSet) return;
    const update = { [origin.id]: { [`keywords/${origin.keyword}`]: isSent || null } };
    await attempted(this.mail.jmap.call("Email/set", { update }));
  }

  stop() {
    this._isStopped = true;
    clearTimeout(this._timer);
    this.files.stop();
    forget(this.mail);
  }

  async _begin(at) {
    const { identity } = this;
    if (!identity) throw new Error(t("noIdentity"));
    const recipients = recipientsOf(this);
    if (this.files.isBusy) throw new Error(t("stillUploading"));
    if (at) checkTime(this.mail, at);
    // Once more, for its date.
    this._version += 1;
    await this.saveAll();
    this.attempt = { emailId: this.savedId, identityId: identity.id, from: identity.email, recipients, at: at && at.getTime() };
    this._keep();
    this.changed();
  }

  _saveIn(ms) {
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this.saveAll().catch(() => {}), ms);
  }

  _keep() {
    const fields = Object.fromEntries(KEPT.map((name) => [name, this[name]]));
    const files = this.attachments.filter((file) => file.blobId);
    fields.attachments = files.map((file) => Object.fromEntries(FILE.map((name) => [name, file[name]])));
    try {
      sessionStorage.setItem(key(this.mail), JSON.stringify(fields));
    } catch {
      // The browser keeps no more; the server does.
    }
  }

  async _save() {
    const version = this._version;
    this.state = "saving";
    this.changed();
    try {
      await this._create(version);
      this.fault = "";
      await this._clear().catch(() => {});
      this.state = this._version === version ? "saved" : "changed";
    } catch (error) {
      this.state = "unsaved";
      this.fault = error instanceof Unreachable ? t("keptHere") : t("failed", { reason: error.message });
      if (error instanceof Unreachable) this._saveIn(RETRY_MS);
      throw error;
    } finally {
      this.changed();
    }
  }

  async _create(version) {
    const drafts = await this.mail.mailboxFor("drafts");
    const messageId = `${crypto.randomUUID()}@${this.identity?.email.split("@").at(-1) ?? "webmail"}`;
    const files = filesOf(this);
    this.unsure.push(messageId);
    this._keep();
    let reply;
    try {
      reply = requireSet(await this.mail.jmap.call("Email/set", { create: { draft: emailOf(this, drafts.id, messageId) } }));
    } catch (error) {
      if (!(error instanceof Unreachable)) this._isKnown(messageId);
      throw error;
    }
    this._isKnown(messageId);
    if (this.savedId) this.outdated.push(this.savedId);
    this.savedId = reply.created.draft.id;
    this._savedVersion = version;
    this._sent = files;
    this._keep();
  }

  _isKnown(messageId) {
    this.unsure = this.unsure.filter((each) => each !== messageId);
  }

  // What this draft has replaced goes, but for what is a draft no more: it was sent elsewhere meanwhile.
  async _clear() {
    const strays = await this._strays();
    for (let tries = 0; tries < TRIES; tries++) {
      const { state, list } = await this.mail.jmap.call("Email/get", {
        ids: [...this.outdated, ...strays, this.savedId], properties: ["keywords", "attachments"],
      });
      const drafts = new Set(list.filter(({ keywords }) => keywords.$draft).map(({ id }) => id));
      this._takeBlobs(list.find(({ id }) => id === this.savedId));
      if (this.outdated.some((id) => !drafts.has(id) && !this._tried.has(id))) this.isForked = true;
      drafts.delete(this.savedId);
      for (const id of drafts) this._tried.add(id);
      try {
        if (drafts.size) await this.mail.jmap.call("Email/set", { ifInState: state, destroy: [...drafts] });
        break;
      } catch (error) {
        if (!(error instanceof MethodError) || error.type !== "stateMismatch") throw error;
      }
    }
    this.outdated = [];
    this.unsure = [];
    this._keep();
  }

  // Saves whose answers were lost, though they had come through.
  async _strays() {
    if (!this.unsure.length) return [];
    const drafts = await this.mail.mailboxFor("drafts");
    const conditions = this.unsure.map((each) => ({ header: ["Message-ID", each] }));
    const filter = { operator: "AND", conditions: [{ inMailbox: drafts.id }, { operator: "OR", conditions }] };
    const { ids } = await this.mail.jmap.call("Email/query", { filter });
    const { list } = await this.mail.jmap.call("Email/get", { ids, properties: ["messageId"] });
    return list.filter(({ messageId }) => this.unsure.includes(messageId?.[0])).map(({ id }) => id);
  }

  // Uploads are kept for a day, and parts of the draft before go with it: those of this one stay.
  _takeBlobs(email) {
    const sent = this._sent;
    this._sent = [];
    if (!sent.length || email?.attachments.length !== sent.length) return;
    const blobs = new Map(sent.map((file, at) => [file.blobId, email.attachments[at].blobId]));
    for (const file of this.attachments) file.blobId = blobs.get(file.blobId) ?? file.blobId;
  }
}
