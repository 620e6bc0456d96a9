// What new mail begins with: an answer, mail passed on, or a draft that is opened again.

import { isPicture } from "./attaching.js";
import { Draft } from "./draft.js";
import { unescaped } from "./escapes.js";
import { hasPicture, htmlOf, nodesOfHtml, nodesOfText, plainOf } from "./rich.js";
import { signatureOf } from "./signature.js";
import { t } from "./texts.js";
import { longDate } from "./ui/dates.js";
import { personName, writtenAddress } from "./ui/people.js";

// RFC 2369 §3.4
export const LIST_POST = "header:List-Post:asURLs";
const FOLLOWUP_TO = "header:Mail-Followup-To:asAddresses";
const DELIVERED_TO = "header:Delivered-To:asText:all";
const BODY = ["htmlBody", "textBody", "bodyValues", "attachments", "keywords", "threadId"];
const FIELDS = [
  "id", "from", "to", "cc", "bcc", "replyTo", "subject", "messageId", "inReplyTo", "references", "sentAt", "receivedAt",
  LIST_POST, FOLLOWUP_TO, DELIVERED_TO,
];
const written = (addresses) => (addresses ?? []).map(writtenAddress).join(", ");

export function newDraft(mail) {
  const identity = mail.identities[0];
  return new Draft(mail, { identityId: identity?.id, ...body(nodesOfText("\n"), signatureOf(identity)) });
}

// kind: reply, replyAll, replyList or forward. of: the mail that has the email, which may be another's.
export async function answerTo(mail, kind, id, of) {
  const email = await read(of, id);
  const isForward = kind === "forward";
  const identity = identityFor(mail, email);
  const files = await ofThisAccount(mail, of, filesIn(email).filter((file) => isForward || file.cid));
  const text = body(nodesOfText("\n"), signatureOf(identity), quoted(isForward, email, pictureUrls(mail, files)));
  const keyword = isForward ? "$forwarded" : "$answered";
  const fields = isForward ? { subject: prefixed("Fwd:", email.subject) } : answer(mail, email, kind);
  return new Draft(mail, {
    identityId: identity?.id, ...fields, ...text,
    attachments: carried(files, text.html).filter((file) => isForward || file.isInline),
    origin: of === mail ? { id, keyword, wasSet: keyword in email.keywords } : null,
  });
}

export async function openedDraft(mail, id) {
  const email = await read(mail, id);
  const files = filesIn(email);
  const { nodes, isRich } = contentOf(email, pictureUrls(mail, files));
  const text = body(nodes);
  return new Draft(mail, {
    savedId: id,
    identityId: identityFor(mail, { to: email.from })?.id,
    to: written(email.to), cc: written(email.cc), bcc: written(email.bcc),
    subject: email.subject ?? "",
    inReplyTo: email.inReplyTo, references: email.references,
    origin: await originOf(mail, email),
    attachments: carried(files, text.html),
    ...text, isRich,
  });
}

// What the email answers, if it is here, and whether another of one's own has answered it.
export async function originOf(mail, email) {
  const answered = email.inReplyTo?.[0];
  if (!answered) return null;
  const id = `o${email.threadId}`;
  const [, { list }] = await Promise.all([
    mail.jmap.call("Thread/get", { ids: [email.threadId] }, id),
    mail.jmap.call("Email/get", {
      "#ids": { resultOf: id, name: "Thread/get", path: "/list/*/emailIds" },
      properties: ["from", "messageId", "inReplyTo", "keywords"],
    }),
  ]);
  const origin = list.find(({ messageId }) => messageId?.[0] === answered);
  if (!origin) return null;
  const isAnother = (each) => each.id !== email.id && !each.keywords.$draft && each.inReplyTo?.includes(answered);
  const wasSet = list.some((each) => isAnother(each) && each.from?.some((sender) => isOwn(mail, sender)));
  return { id: origin.id, keyword: "$answered", wasSet };
}

async function read(mail, id) {
  const got = await mail.jmap.call("Email/get", { ids: [id], properties: [...FIELDS, ...BODY], fetchAllBodyValues: true });
  if (!got.list.length) throw new Error(t("gone"));
  return got.list[0];
}

// Attachments, and pictures that stand between texts.
function filesIn(email) {
  const shown = (email.htmlBody ?? []).filter(({ type }) => !type.startsWith("text/"));
  return [...(email.attachments ?? []), ...shown].map(({ blobId, type, name, size, cid }) => ({ blobId, type, name, size, cid }));
}

async function ofThisAccount(mail, of, files) {
  if (of === mail || !files.length) return files;
  const blobIds = files.map((file) => file.blobId);
  const { copied } = await mail.jmap.call("Blob/copy", { fromAccountId: of.jmap.accountId, blobIds });
  return files.filter((file) => copied?.[file.blobId]).map((file) => ({ ...file, blobId: copied[file.blobId] }));
}

function pictureUrls(mail, files) {
  const found = new Map(files.filter((file) => file.cid && isPicture(file)).map((file) => [file.cid, file]));
  return (cid) => (found.has(cid) ? mail.jmap.downloadUrl(found.get(cid).blobId, found.get(cid).name, found.get(cid).type) : "");
}

// Pictures that the text shows stay in it, all else lies beside it.
function carried(files, html) {
  return files.map(({ cid, ...file }) => (cid && isPicture(file) && hasPicture(html, cid) ? { ...file, cid, isInline: true } : file));
}

function contentOf(email, pictureUrl) {
  const nodes = document.createDocumentFragment();
  let isRich = false;
  for (const part of email.htmlBody ?? []) {
    const value = email.bodyValues[part.partId]?.value;
    if (value === undefined) continue;
    if (part.type === "text/html") isRich = true;
    nodes.append(part.type === "text/html" ? nodesOfHtml(value, pictureUrl) : nodesOfText(value));
  }
  return { nodes, isRich };
}

function body(...parts) {
  const root = document.createElement("div");
  root.append(...parts);
  return { html: htmlOf(root), text: plainOf(root) };
}

function quoted(isForward, email, pictureUrl) {
  const nodes = nodesOfText("");
  const sender = written(email.from);
  const date = longDate(email.sentAt ?? email.receivedAt);
  const { nodes: content } = contentOf(email, pictureUrl);
  if (isForward) {
    const head = [t("forwarded"), `${t("from")}: ${sender}`, `${t("date")}: ${date}`, `${t("to")}: ${written(email.to)}`];
    nodes.append(nodesOfText([...head, `${t("subject")}: ${email.subject ?? ""}`, ""].join("\n")), content);
    return nodes;
  }
  const quote = document.createElement("blockquote");
  quote.append(content);
  nodes.append(nodesOfText(t("wrote", { sender: email.from?.length ? personName(email.from[0]) : t("noSender"), date })), quote);
  return nodes;
}

function answer(mail, email, kind) {
  const { messageId, references, inReplyTo } = email;
  // RFC 5322 §3.6.4: of several that the parent answers, none is known to be the one before it.
  const before = references ?? (inReplyTo?.length === 1 ? inReplyTo : []);
  return {
    ...addressed(mail, email, kind),
    subject: prefixed("Re:", email.subject),
    inReplyTo: messageId ?? [],
    references: [...before, ...(messageId ?? [])],
  };
}

function prefixed(prefix, subject) {
  const isThere = (subject ?? "").toLowerCase().startsWith(prefix.toLowerCase());
  return isThere ? subject : `${prefix} ${subject ?? ""}`.trim();
}

// Subaddresses are the same person's.
const keyOf = (email) => email.toLowerCase().replace(/\+[^@]*(?=@)/, "");

function isOwn(mail, { email }) {
  return mail.identities.some((each) => keyOf(each.email) === keyOf(email));
}

// Whom it was sent to, else who has sent it, else what it was delivered to: as of a list, or where one was not named.
function identityFor(mail, email) {
  const delivered = (email[DELIVERED_TO] ?? []).map((text) => unescaped(text.trim()));
  const named = [...(email.to ?? []), ...(email.cc ?? []), ...(email.from ?? [])].map((each) => each.email);
  for (const address of [...named, ...delivered]) {
    const exact = mail.identities.find((each) => each.email.toLowerCase() === address.toLowerCase());
    const found = exact ?? mail.identities.find((each) => keyOf(each.email) === keyOf(address));
    if (found) return found;
  }
  return mail.identities[0];
}

export function listAddress(email) {
  const [, found] = /^mailto:([^?]*)/i.exec(email[LIST_POST]?.find((url) => /^mailto:/i.test(url)) ?? "") ?? [];
  return found ? unescaped(found) : "";
}

// An answer to what one has written oneself goes to whom that went to.
function addressed(mail, email, kind) {
  const isOther = (each) => !isOwn(mail, each);
  if (kind === "replyList") return { to: listAddress(email) };
  if (kind === "replyAll" && email[FOLLOWUP_TO]?.length) return { to: written(email[FOLLOWUP_TO]) };
  const answerable = email.replyTo?.length ? email.replyTo : email.from ?? [];
  const isMine = !answerable.some(isOther) && (email.to ?? []).some(isOther);
  const first = isMine ? email.to : answerable;
  if (kind !== "replyAll") return { to: written(first) };
  const named = new Set(first.map((each) => each.email.toLowerCase()));
  const others = (list) => (list ?? []).filter((each) => isOther(each) && !named.has(each.email.toLowerCase()));
  return { to: written([...first, ...(isMine ? [] : others(email.to))]), cc: written(others(email.cc)) };
}
