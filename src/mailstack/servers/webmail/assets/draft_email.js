// A draft as the Email that is made of it, and whom it goes to. RFC 8621 §4.6.

import { parseAddresses, whyNoAddress } from "./addresses.js";
import { hasPicture } from "./rich.js";
import { t } from "./texts.js";

const FIELDS = ["to", "cc", "bcc"];

// Those that go along, in the order in which the Email has them: pictures of the text, if it still has them, come first.
export function filesOf(draft) {
  const there = draft.attachments.filter((file) => file.blobId);
  if (!draft.isRich) return there.map((file) => ({ ...file, isInline: false }));
  const inline = there.filter((file) => file.isInline && hasPicture(draft.html, file.cid));
  return [...inline, ...there.filter((file) => !file.isInline)];
}

export function emailOf(draft, draftsId, messageId) {
  const { identity } = draft;
  const email = {
    mailboxIds: { [draftsId]: true },
    keywords: { $draft: true, $seen: true },
    messageId: [messageId],
    from: identity ? [{ name: identity.name || null, email: identity.email }] : null,
    subject: draft.subject,
    textBody: [{ partId: "text", type: "text/plain" }],
    bodyValues: { text: { value: draft.text } },
  };
  for (const name of FIELDS) {
    const found = parseAddresses(draft[name]).filter((each) => !whyNoAddress(each.email));
    if (found.length) email[name] = found;
  }
  if (identity?.replyTo?.length) email.replyTo = identity.replyTo;
  for (const name of ["inReplyTo", "references"]) if (draft[name]?.length) email[name] = draft[name];
  if (draft.isRich) {
    email.htmlBody = [{ partId: "html", type: "text/html" }];
    email.bodyValues.html = { value: draft.html };
  }
  const files = filesOf(draft);
  if (files.length) email.attachments = files.map(part);
  return email;
}

function part({ blobId, type, name, cid, isInline }) {
  return isInline ? { blobId, type, name, cid, disposition: "inline" } : { blobId, type, name, disposition: "attachment" };
}

// Whether one's own words speak of a file and none lies beside them.
export function isAttachmentForgotten(draft) {
  if (draft.attachments.some((file) => !file.isInline)) return false;
  const [own] = draft.text.split(/^-- $|^-{5,} .*-{5,}$/m);
  const unquoted = own.replace(/^>.*$/gm, "");
  return new RegExp(`(?<!\\p{L})(?:${t("attachmentWords")})(?!\\p{L})`, "iu").test(`${draft.subject}\n${unquoted}`);
}

// Each once. Throws an Error that says what is wrong with them.
export function recipientsOf(draft) {
  const all = FIELDS.flatMap((name) => parseAddresses(draft[name])).map(({ email }) => email);
  const wrong = all.find((email) => whyNoAddress(email));
  if (wrong !== undefined) throw new Error(t(whyNoAddress(wrong), { text: wrong }));
  if (!all.length) throw new Error(t("noRecipients"));
  return [...new Set(all)];
}
