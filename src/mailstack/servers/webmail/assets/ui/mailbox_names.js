import { t } from "../texts.js";

const NAMES = {
  inbox: "inbox", drafts: "drafts", sent: "sent", junk: "junkMailbox", trash: "trash", archive: "archiveMailbox",
};

export function mailboxName(mailbox) {
  return mailbox.role in NAMES ? t(NAMES[mailbox.role]) : mailbox.name;
}

// With what it lies below: "Work / Bills".
export function mailboxPath(mail, mailbox) {
  const parent = mail.mailboxes.get(mailbox.parentId);
  return parent ? `${mailboxPath(mail, parent)} / ${mailboxName(mailbox)}` : mailboxName(mailbox);
}
