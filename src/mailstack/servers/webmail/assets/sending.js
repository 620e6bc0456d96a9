// Mail given to be sent: once, whatever becomes of the connection meanwhile, and taken back while it waits. RFC 8621 §7.

import { MethodError, requireSet, SUBMISSION, Unreachable } from "./jmap.js";
import { t } from "./texts.js";

export const UNDO_S = 10;
const AGAIN_MS = 1000;
const RETRY_MS = 5000;
const TRIES = 10;

export function mostDelay(mail) {
  return mail.jmap.accountCapability(SUBMISSION).maxDelayedSend ?? 0;
}

// Throws an Error for a time that mail cannot wait for.
export function checkTime(mail, at) {
  const seconds = Math.round((at - Date.now()) / 1000);
  if (!(seconds > 0)) throw new Error(t("pastTime"));
  if (seconds > mostDelay(mail)) throw new Error(t("tooLate", { count: Math.floor(mostDelay(mail) / 86_400) }));
}

// of: { emailId, identityId, from, recipients }. at: when it goes, as Date or its number; null for as soon as may be.
// Tries for as long as it takes to know. done: what else belongs to it, and may be done again. Returns the submission's id,
// null where it was stopped; throws what no later try would mend.
export async function submitted(mail, of, at, { done = async () => {}, isStopped = () => false, onWaiting = () => {} } = {}) {
  while (!isStopped()) {
    try {
      const id = await submit(mail, of, at);
      await done();
      return id;
    } catch (error) {
      if (!(error instanceof Unreachable)) throw error;
      onWaiting();
      await connection(RETRY_MS);
    }
  }
  return null;
}

// Out of the queue and back among the drafts in one request. Throws where it has gone. Asked again while the
// server is not to be reached, for as long as it may wait there.
export async function takeBack(mail, submissionId) {
  const drafts = await mail.mailboxFor("drafts");
  const change = {
    update: { [submissionId]: { undoStatus: "canceled" } },
    onSuccessUpdateEmail: { [submissionId]: { mailboxIds: { [drafts.id]: true }, "keywords/$draft": true } },
  };
  const end = Date.now() + UNDO_S * 1000;
  for (;;) {
    try {
      requireSet(await mail.jmap.call("EmailSubmission/set", change));
      return;
    } catch (error) {
      if (error instanceof MethodError && error.type === "cannotUnsend") throw new Error(t("hasGone"));
      if (!(error instanceof Unreachable) || Date.now() > end) throw error;
      await connection(AGAIN_MS);
    }
  }
}

// After Unreachable the same may be asked for again: what came through is found, and what is still under way is refused,
// since the state that it names has passed.
async function submit(mail, of, at) {
  for (let tries = 0; tries < TRIES; tries++) {
    const { state, found } = await look(mail, of.emailId);
    if (found) return filed(mail, of.emailId, found);
    try {
      return await create(mail, of, at, state);
    } catch (error) {
      if (!(error instanceof MethodError) || error.type !== "stateMismatch") throw error;
    }
  }
  throw new Error(t("tooBusy"));
}

// Is there again, or it is time to try.
function connection(ms) {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    addEventListener("online", () => resolve(clearTimeout(timer)), { once: true });
  });
}

// The state before the look: what comes between is told by it.
async function look(mail, emailId) {
  const id = `look${Math.random()}`;
  const [{ state }, , { list }] = await Promise.all([
    mail.jmap.call("EmailSubmission/get", { ids: [] }),
    mail.jmap.call("EmailSubmission/query", { filter: { emailIds: [emailId] } }, id),
    mail.jmap.call("EmailSubmission/get", {
      "#ids": { resultOf: id, name: "EmailSubmission/query", path: "/ids" }, properties: ["undoStatus"],
    }),
  ]);
  return { state, found: list.find(({ undoStatus }) => undoStatus !== "canceled")?.id };
}

async function create(mail, { emailId, identityId, from, recipients }, at, ifInState) {
  const envelope = {
    mailFrom: { email: from, parameters: parameters(mail, at) },
    rcptTo: recipients.map((email) => ({ email })),
  };
  const { created, notCreated } = await mail.jmap.call("EmailSubmission/set", {
    ifInState, create: { send: { identityId, emailId, envelope } }, onSuccessUpdateEmail: { "#send": await filing(mail) },
  });
  if (!created?.send) throw new MethodError(notCreated.send.type, refusalText(notCreated.send));
  return created.send.id;
}

// RFC 8621 §7.5
function refusalText({ type, description, invalidRecipients, maxRecipients }) {
  if (type === "invalidRecipients") return t("unknownRecipients", { list: invalidRecipients.join(", ") });
  if (type === "tooManyRecipients") return t("tooManyRecipients", { count: maxRecipients });
  return t("notSent", { reason: description || type });
}

function parameters(mail, at) {
  // RFC 4865 §4.2
  if (at && at > Date.now()) return { HOLDUNTIL: new Date(at).toISOString().replace(/\.\d+Z$/, "Z") };
  return mostDelay(mail) >= UNDO_S ? { HOLDFOR: String(UNDO_S) } : null;
}

async function filing(mail) {
  const [drafts, sent] = [await mail.mailboxFor("drafts"), await mail.mailboxFor("sent")];
  return { [`mailboxIds/${drafts.id}`]: null, [`mailboxIds/${sent.id}`]: true, "keywords/$draft": null, "keywords/$seen": true };
}

async function filed(mail, emailId, submissionId) {
  await attempted(mail.jmap.call("Email/set", { update: { [emailId]: await filing(mail) } }));
  return submissionId;
}

// What follows from mail that has gone: that it was refused is no reason to send it again.
export async function attempted(call) {
  try {
    await call;
  } catch (error) {
    if (error instanceof Unreachable) throw error;
  }
}
