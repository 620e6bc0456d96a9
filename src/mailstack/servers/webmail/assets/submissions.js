// What became of mail that was given to be sent: what waits for its time, and what could not be delivered. RFC 8621 §7.

import { SUBMISSION } from "./jmap.js";
import { LISTED } from "./mail.js";
import { Observable } from "./observable.js";
import { checkTime, submitted, takeBack, UNDO_S } from "./sending.js";
import { t } from "./texts.js";

const SHOWN = ["id", "emailId", "identityId", "envelope", "sendAt", "undoStatus", "deliveryStatus"];

export class Submissions extends Observable {
  // onFailure: called with each recipient that mail did not reach, and the reply, once.
  constructor(mail, onFailure) {
    super();
    this.mail = mail;
    // Soonest first, each with its `email`.
    this.scheduled = [];
    // Another one whenever something has become of any.
    this.version = 0;
    this._onFailure = onFailure;
    this._told = new Set();
    this._state = null;
    this._stopListening = () => {};
  }

  start() {
    if (!this.mail.jmap.has(SUBMISSION)) return;
    const look = () => this.sync().catch(() => {});
    this._stopListening = this.mail.jmap.listen((changed) => changed.EmailSubmission && look(), (isOnline) => isOnline && look());
    look();
  }

  stop() {
    this._stopListening();
  }

  async sync() {
    const since = this._state;
    const [waiting] = await Promise.all([this._waiting(), since && this._tellFailures(since).catch(() => {})]);
    this.scheduled = waiting;
    this.version += 1;
    this.changed();
  }

  // Of one email, the newest last.
  async of(emailId) {
    const { list } = await this._get({ emailIds: [emailId] });
    return list.sort((a, b) => a.sendAt.localeCompare(b.sendAt));
  }

  // Back into Drafts first: whatever happens then, it is in one place and goes once. at: null for now. Returns the
  // submission's id.
  async reschedule({ id, emailId, identityId, envelope }, at) {
    if (at) checkTime(this.mail, at);
    await takeBack(this.mail, id);
    const recipients = envelope.rcptTo.map(({ email }) => email);
    try {
      return await submitted(this.mail, { emailId, identityId, from: envelope.mailFrom.email, recipients }, at);
    } catch (error) {
      throw new Error(t("leftInDrafts", { reason: error.message }));
    }
  }

  async _waiting() {
    const { list, state } = await this._get({ undoStatus: "pending" });
    this._state = state;
    const waiting = list.filter(isScheduled);
    if (!waiting.length) return [];
    const got = await this.mail.jmap.call("Email/get", { ids: waiting.map(({ emailId }) => emailId), properties: LISTED });
    const emails = new Map(got.list.map((email) => [email.id, email]));
    return waiting.map((each) => ({ ...each, email: emails.get(each.emailId) })).filter(({ email }) => email);
  }

  async _get(filter) {
    const id = `s${Math.random()}`;
    const [, got] = await Promise.all([
      this.mail.jmap.call("EmailSubmission/query", { filter, sort: [{ property: "sentAt", isAscending: true }] }, id),
      this.mail.jmap.call("EmailSubmission/get", {
        "#ids": { resultOf: id, name: "EmailSubmission/query", path: "/ids" }, properties: SHOWN,
      }),
    ]);
    return got;
  }

  async _tellFailures(sinceState) {
    const id = `s${Math.random()}`;
    const [, { list }] = await Promise.all([
      this.mail.jmap.call("EmailSubmission/changes", { sinceState }, id),
      this.mail.jmap.call("EmailSubmission/get", {
        "#ids": { resultOf: id, name: "EmailSubmission/changes", path: "/updated" }, properties: ["id", "deliveryStatus"],
      }),
    ]);
    for (const each of list) {
      for (const { email, reply } of failuresOf(each)) {
        const failure = `${each.id} ${email}`;
        if (!this._told.has(failure)) this._onFailure(email, reply);
        this._told.add(failure);
      }
    }
  }
}

// Not what only leaves time for Undo.
function isScheduled({ envelope }) {
  const { HOLDUNTIL, HOLDFOR } = envelope.mailFrom.parameters ?? {};
  return Boolean(HOLDUNTIL) || Number(HOLDFOR ?? 0) > UNDO_S;
}

export function failuresOf(submission) {
  return recipientsWith(submission, "no");
}

// Tried, and to be tried again.
export function delaysOf(submission) {
  return recipientsWith(submission, "queued").filter(({ reply }) => reply.startsWith("4"));
}

function recipientsWith({ deliveryStatus }, delivered) {
  return Object.entries(deliveryStatus ?? {})
    .filter(([, status]) => status.delivered === delivered)
    .map(([email, { smtpReply }]) => ({ email, reply: smtpReply }));
}
