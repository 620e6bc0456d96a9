// What new mail begins with: an answer, mail passed on, or a draft that is opened again.

import { Draft } from "./draft.js";
import { htmlOf, nodesOfHtml, nodesOfText, plainOf } from "./rich.js";
import { t } from "./texts.js";
import { longDate } from "./ui/dates.js";
import { personName, writtenAddress } from "./ui/people.js";

const BODY = ["htmlBody", "textBody", "bodyValues", "attachments", "keywords"];
const FIELDS = ["id", "from", "to", "cc", "bcc", "replyTo", "subject", "messageId", "inReplyTo", "references", "sentAt", "receivedAt"];
const written = (addresses) => (addresses ?? []).map(writtenAddress).join(", ");

export function newDraft(mail) {
  const identity = mail.identities[0];
  return new Draft(mail, { identityId: identity?.id, ...body(signature(identity)) });
}

// of: the mail that has the email, which may be another's.
export async function answerTo(mail, kind, id, of) {
  const email = await read(of, id);
  const own = ownAddresses(mail);
  const identity = identityFor(mail, email);
  const fields = { identityId: identity?.id };
  if (kind === "forward") {
    Object.assign(fields, { subject: prefixed("Fwd:", email.subject), origin: of === mail && { id, keyword: "$forwarded" } });
    fields.attachments = await attachedTo(mail, of, email);
  } else {
    Object.assign(fields, addressed(email, own, kind === "replyAll"));
    Object.assign(fields, { subject: prefixed("Re:", email.subject), origin: of === mail && { id, keyword: "$answered" } });
    // RFC 5322 §3.6.4
    fields.inReplyTo = email.messageId ?? [];
    fields.references = [...(email.references ?? email.inReplyTo ?? []), ...fields.inReplyTo];
  }
  return new Draft(mail, { ...fields, ...body(signature(identity), quoted(kind, email)) });
}

export async function openedDraft(mail, id) {
  const email = await read(mail, id);
  const { nodes, isRich } = contentOf(email);
  return new Draft(mail, {
    savedId: id,
    identityId: identityFor(mail, { to: email.from })?.id,
    to: written(email.to), cc: written(email.cc), bcc: written(email.bcc),
    subject: email.subject ?? "",
    inReplyTo: email.inReplyTo, references: email.references,
    attachments: await attachedTo(mail, mail, email),
    ...body(nodes), isRich,
  });
}

async function read(mail, id) {
  const got = await mail.jmap.call("Email/get", { ids: [id], properties: [...FIELDS, ...BODY], fetchAllBodyValues: true });
  if (!got.list.length) throw new Error(t("gone"));
  return got.list[0];
}

async function attachedTo(mail, of, email) {
  const files = (email.attachments ?? []).map(({ blobId, type, name, size }) => ({ blobId, type, name, size }));
  if (of === mail || !files.length) return files;
  const blobIds = files.map((file) => file.blobId);
  const { copied } = await mail.jmap.call("Blob/copy", { fromAccountId: of.jmap.accountId, blobIds });
  return files.filter((file) => copied?.[file.blobId]).map((file) => ({ ...file, blobId: copied[file.blobId] }));
}

function contentOf(email) {
  const nodes = document.createDocumentFragment();
  let isRich = false;
  for (const part of email.htmlBody ?? []) {
    const value = email.bodyValues[part.partId]?.value;
    if (value === undefined) continue;
    if (part.type === "text/html") isRich = true;
    nodes.append(part.type === "text/html" ? nodesOfHtml(value) : nodesOfText(value));
  }
  return { nodes, isRich };
}

function body(...parts) {
  const root = document.createElement("div");
  root.append(...parts);
  return { html: htmlOf(root), text: plainOf(root) };
}

function signature(identity) {
  const nodes = nodesOfText("\n");
  if (!identity?.htmlSignature && !identity?.textSignature) return nodes;
  nodes.append(nodesOfText("-- "));
  nodes.append(identity.htmlSignature ? nodesOfHtml(identity.htmlSignature) : nodesOfText(identity.textSignature));
  return nodes;
}

function quoted(kind, email) {
  const nodes = nodesOfText("");
  const sender = written(email.from);
  const date = longDate(email.sentAt ?? email.receivedAt);
  if (kind === "forward") {
    const head = [t("forwarded"), `${t("from")}: ${sender}`, `${t("date")}: ${date}`, `${t("to")}: ${written(email.to)}`];
    nodes.append(nodesOfText([...head, `${t("subject")}: ${email.subject ?? ""}`, ""].join("\n")), contentOf(email).nodes);
    return nodes;
  }
  const quote = document.createElement("blockquote");
  quote.append(contentOf(email).nodes);
  nodes.append(nodesOfText(t("wrote", { sender: email.from?.length ? personName(email.from[0]) : t("noSender"), date })), quote);
  return nodes;
}

function prefixed(prefix, subject) {
  const isThere = (subject ?? "").toLowerCase().startsWith(prefix.toLowerCase());
  return isThere ? subject : `${prefix} ${subject ?? ""}`.trim();
}

function ownAddresses(mail) {
  return new Set(mail.identities.map(({ email }) => email.toLowerCase()));
}

function identityFor(mail, email) {
  const named = new Set([...(email.to ?? []), ...(email.cc ?? [])].map((each) => each.email.toLowerCase()));
  return mail.identities.find((each) => named.has(each.email.toLowerCase())) ?? mail.identities[0];
}

// An answer to what one has written oneself goes to whom that went to.
function addressed(email, own, isToAll) {
  const isOther = ({ email: address }) => !own.has(address.toLowerCase());
  const answerable = email.replyTo?.length ? email.replyTo : email.from ?? [];
  const isOwn = !answerable.some(isOther) && (email.to ?? []).some(isOther);
  const first = isOwn ? email.to : answerable;
  if (!isToAll) return { to: written(first) };
  const named = new Set(first.map((each) => each.email.toLowerCase()));
  const others = (list) => (list ?? []).filter((each) => isOther(each) && !named.has(each.email.toLowerCase()));
  return { to: written([...first, ...(isOwn ? [] : others(email.to))]), cc: written(others(email.cc)) };
}
