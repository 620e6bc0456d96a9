// Mail that is being written: kept here and in Drafts, sent, and taken back.

import { Observable } from "./observable.js";
import { CORE, MAIL, MethodError, requireSet, SUBMISSION, Unreachable } from "./jmap.js";
import { isAddress, parseAddresses } from "./addresses.js";
import { t } from "./texts.js";

export const UNDO_S = 10;
const SAVE_MS = 2000;
const WRITTEN = ["identityId", "to", "cc", "bcc", "subject", "isRich", "html", "text"];
const KEPT = [...WRITTEN, "attachments", "inReplyTo", "references", "savedId", "origin"];

// The text that a reload of the page would lose: of this tab, and until sign-out.
const key = (mail) => `writing-${mail.jmap.accountId}`;

export function recovered(mail) {
  const kept = sessionStorage.getItem(key(mail));
  if (!kept) return null;
  const draft = new Draft(mail, JSON.parse(kept));
  draft.edit({});
  return draft;
}

export function forget(mail) {
  sessionStorage.removeItem(key(mail));
}

export class Draft extends Observable {
  constructor(mail, fields) {
    super();
    this.mail = mail;
    Object.assign(this, { to: "", cc: "", bcc: "", subject: "", isRich: true, html: "", text: "", attachments: [] }, fields);
    this.fault = "";
    this.state = this.savedId ? "saved" : "new";
    this._timer = 0;
    this._saving = null;
    this._version = 0;
    this._savedVersion = 0;
  }

  edit(fields) {
    Object.assign(this, fields);
    this._touched();
  }

  get sizeLimit() {
    return this.mail.jmap.session.capabilities[CORE].maxSizeUpload;
  }

  get attachmentsLimit() {
    return this._accountCapability(MAIL).maxSizeAttachmentsPerEmail ?? Infinity;
  }

  get mayBeDelayed() {
    return this._accountCapability(SUBMISSION).maxDelayedSend ?? 0;
  }

  get isUploading() {
    return this.attachments.some((file) => !file.blobId);
  }

  async attach(files) {
    await Promise.all([...files].map((file) => this._attachOne(file)));
  }

  detach(file) {
    file.stop?.();
    this.edit({ attachments: this.attachments.filter((each) => each !== file) });
  }

  // One at a time. The one before goes when its successor is there, never sooner.
  save() {
    clearTimeout(this._timer);
    this._saving ??= this._save().finally(() => (this._saving = null));
    return this._saving;
  }

  async saveAll() {
    if (this._saving) await this._saving.catch(() => {});
    while (this._version !== this._savedVersion) await this.save();
  }

  // Nothing of it is on its way any more, and nothing will be.
  async end() {
    this.stop();
    await this._saving?.catch(() => {});
    this.stop();
  }

  // at: null, or the Date it goes. Returns the submission's id.
  async send(identity, at) {
    const recipients = this._recipients();
    if (this.isUploading) throw new Error(t("stillUploading"));
    this._version += 1;
    await this.saveAll();
    const parameters = this._delay(at);
    const drafts = await this.mail.mailboxFor("drafts");
    const sent = await this.mail.mailboxFor("sent");
    const reply = requireSet(await this.mail.jmap.call("EmailSubmission/set", {
      create: {
        send: {
          identityId: identity.id,
          emailId: this.savedId,
          envelope: {
            mailFrom: { email: identity.email, parameters },
            rcptTo: recipients.map((email) => ({ email })),
          },
        },
      },
      onSuccessUpdateEmail: {
        "#send": {
          [`mailboxIds/${drafts.id}`]: null, [`mailboxIds/${sent.id}`]: true, "keywords/$draft": null, "keywords/$seen": true,
        },
      },
    }));
    this.stop();
    if (this.origin) await this.mail.setKeyword([this.origin.id], this.origin.keyword, true).catch(() => {});
    return reply.created.send.id;
  }

  // Back into Drafts, if it has not gone yet.
  async takeBack(submissionId) {
    requireSet(await this.mail.jmap.call("EmailSubmission/set", { update: { [submissionId]: { undoStatus: "canceled" } } }));
    const drafts = await this.mail.mailboxFor("drafts");
    const update = { mailboxIds: { [drafts.id]: true }, "keywords/$draft": true };
    requireSet(await this.mail.jmap.call("Email/set", { update: { [this.savedId]: update } }));
    this._keep();
  }

  stop() {
    clearTimeout(this._timer);
    for (const file of this.attachments) file.stop?.();
    forget(this.mail);
  }

  _accountCapability(name) {
    const { session, accountId } = this.mail.jmap;
    return session.accounts[accountId].accountCapabilities[name] ?? {};
  }

  _touched() {
    this._version += 1;
    this.state = "changed";
    this._keep();
    clearTimeout(this._timer);
    this._timer = setTimeout(() => this.save().catch(() => {}), SAVE_MS);
    this.changed();
  }

  _keep() {
    const fields = Object.fromEntries(KEPT.map((name) => [name, this[name]]));
    fields.attachments = this.attachments.filter((file) => file.blobId);
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
      const drafts = await this.mail.mailboxFor("drafts");
      const reply = requireSet(await this.mail.jmap.call("Email/set", { create: { draft: this._email(drafts.id) } }));
      const before = this.savedId;
      this.savedId = reply.created.draft.id;
      this._savedVersion = version;
      this._keep();
      if (before) await this.mail.jmap.call("Email/set", { destroy: [before] }).catch(() => {});
      this.fault = "";
      this.state = this._version === version ? "saved" : "changed";
    } catch (error) {
      this.state = "unsaved";
      this.fault = error instanceof Unreachable ? t("keptHere") : t("failed", { reason: error.message });
      if (error instanceof Unreachable) this._timer = setTimeout(() => this.save().catch(() => {}), SAVE_MS * 5);
      throw error;
    } finally {
      this.changed();
    }
  }

  _email(draftsId) {
    const identity = this.mail.identities.find((each) => each.id === this.identityId) ?? this.mail.identities[0];
    const email = {
      mailboxIds: { [draftsId]: true },
      keywords: { $draft: true, $seen: true },
      from: identity ? [{ name: identity.name || null, email: identity.email }] : null,
      subject: this.subject,
      textBody: [{ partId: "text", type: "text/plain" }],
      bodyValues: { text: { value: this.text } },
    };
    for (const name of ["to", "cc", "bcc"]) {
      const found = parseAddresses(this[name]).filter((each) => isAddress(each.email));
      if (found.length) email[name] = found;
    }
    if (identity?.replyTo?.length) email.replyTo = identity.replyTo;
    for (const name of ["inReplyTo", "references"]) if (this[name]?.length) email[name] = this[name];
    if (this.isRich) {
      email.htmlBody = [{ partId: "html", type: "text/html" }];
      email.bodyValues.html = { value: this.html };
    }
    const files = this.attachments.filter((file) => file.blobId);
    if (files.length) {
      email.attachments = files.map(({ blobId, type, name }) => ({ blobId, type, name, disposition: "attachment" }));
    }
    return email;
  }

  _recipients() {
    const all = ["to", "cc", "bcc"].flatMap((name) => parseAddresses(this[name])).map(({ email }) => email);
    const wrong = all.find((email) => !isAddress(email));
    if (wrong !== undefined) throw new Error(t("notAnAddress", { text: wrong }));
    if (!all.length) throw new Error(t("noRecipients"));
    return [...new Set(all)];
  }

  _delay(at) {
    const most = this.mayBeDelayed;
    if (at) {
      const seconds = Math.round((at - Date.now()) / 1000);
      if (!(seconds > 0)) throw new Error(t("pastTime"));
      if (seconds > most) throw new Error(t("tooLate", { count: Math.floor(most / 86_400) }));
      // RFC 4865 §4.2
      return { HOLDUNTIL: at.toISOString().replace(/\.\d+Z$/, "Z") };
    }
    return most >= UNDO_S ? { HOLDFOR: String(UNDO_S) } : null;
  }

  async _attachOne(blob) {
    const size = this.attachments.reduce((sum, file) => sum + file.size, blob.size);
    if (blob.size > this.sizeLimit || size > this.attachmentsLimit) {
      const limit = Math.min(this.sizeLimit, this.attachmentsLimit);
      this.fault = t("tooLarge", { name: blob.name, limit: Math.floor(limit / 1_000_000) });
      this.changed();
      return;
    }
    const file = { name: blob.name || "file", type: blob.type || "application/octet-stream", size: blob.size, progress: 0 };
    this.attachments = [...this.attachments, file];
    this.changed();
    try {
      const sending = this.mail.jmap.uploadTold(blob, file.type, (part) => {
        file.progress = part;
        this.changed();
      });
      file.stop = sending.stop;
      file.blobId = (await sending.done).blobId;
      delete file.stop;
      if (this.attachments.includes(file)) this._touched();
    } catch (error) {
      this.attachments = this.attachments.filter((each) => each !== file);
      if (error instanceof MethodError && error.type === "aborted") return;
      this.fault = t("failed", { reason: error.message });
      this.changed();
    }
  }
}
