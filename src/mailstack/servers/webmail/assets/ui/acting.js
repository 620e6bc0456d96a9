// What is done to the rows that are chosen, or to the message that is open: at once where it can be taken back, else after a question.

import { moveBetween } from "../between.js";
import { keywordPatch, movePatch } from "../patches.js";
import { t } from "../texts.js";
import { mailboxName } from "./mailbox_names.js";

const OUT_OF_ALL = new Set(["trash", "junk"]);

// target: the rows, and whether all of the list are meant. onLeave: the rows are going.
export function useActing({ mail, accounts, onLeave, setNote, onFault, ask }) {
  const isOwn = mail === accounts.own;

  async function carryOut(count, work, said) {
    let isStopped = false;
    const stop = () => (isStopped = true);
    const onPart = (part) => {
      if (part < 1) setNote({ text: t("working", { count }), progress: part, stop });
      return !isStopped;
    };
    try {
      const undo = await work(onPart);
      setNote({ text: isStopped ? t("stopped") : said, undo });
    } catch (error) {
      onFault(error);
    }
  }

  // All emails that rows stand for.
  function emailsOf({ rows, isAll }) {
    return isAll ? mail.edits.allIds(mail.list.filter) : mail.edits.inThreads(rows);
  }

  async function moveTo(target, mailbox, to = mail) {
    const fromId = OUT_OF_ALL.has(mailbox.role) ? null : mail.list?.mailboxId ?? null;
    onLeave();
    await carryOut(target.count, async (onPart) => {
      const ids = await emailsOf(target);
      if (to !== mail) return moveBetween(mail, ids, mail.list?.mailboxId ?? null, to, mailbox.id, onPart);
      return mail.edits.update(ids, () => movePatch(fromId, mailbox.id), onPart);
    }, t("moved", { count: target.count, mailbox: mailboxName(mailbox) }));
  }

  async function moveToRole(target, role) {
    try {
      const mailbox = isOwn ? await mail.mailboxFor(role) : mail.mailboxWithRole(role);
      if (mailbox && mailbox.id !== mail.list?.mailboxId) await moveTo(target, mailbox);
    } catch (error) {
      onFault(error);
    }
  }

  async function destroy(target) {
    const text = t("destroyText", { count: target.count });
    if (!await ask({ title: t("destroyTitle"), text, answers: [{ name: t("deleteForGood"), value: true }] })) return;
    onLeave();
    await carryOut(target.count, async (onPart) => {
      await mail.edits.leave(await emailsOf(target), mail.list?.mailboxId ?? null, onPart);
    }, t("deletedForGood", { count: target.count }));
  }

  // For good where it is in Trash, or where there is none to put it into.
  async function remove(target) {
    const trash = mail.mailboxWithRole("trash");
    if ((trash || !isOwn) && (trash?.id ?? mail.list?.mailboxId) === mail.list?.mailboxId) await destroy(target);
    else await moveToRole(target, "trash");
  }

  // A row is read when all of its thread is; what is flagged, or to be read again, is the email that it shows.
  async function mark(target, keyword, isSet, said) {
    await carryOut(target.count, async (onPart) => {
      const isOfThread = target.isAll || (keyword === "$seen" && isSet);
      const ids = isOfThread ? await emailsOf(target) : target.rows;
      return mail.edits.update(ids, () => keywordPatch(keyword, isSet), onPart);
    }, t(said, { count: target.count }));
  }

  // mailbox: one of this mail, or of another account, with `of`.
  async function empty(mailbox, of = mail) {
    const count = mailbox.totalEmails;
    const title = t("emptyTitle", { mailbox: mailboxName(mailbox) });
    if (!await ask({ title, text: t("destroyText", { count }), answers: [{ name: t("deleteForGood"), value: true }] })) return;
    await carryOut(count, async (onPart) => {
      await of.edits.leave(await of.edits.allIds({ inMailbox: mailbox.id }), mailbox.id, onPart);
    }, t("emptied", { mailbox: mailboxName(mailbox) }));
  }

  async function markAllRead(mailbox, of = mail) {
    const count = mailbox.unreadEmails;
    await carryOut(count, async (onPart) => {
      const ids = await of.edits.allIds({ inMailbox: mailbox.id, notKeyword: "$seen" });
      return of.edits.update(ids, () => keywordPatch("$seen", true), onPart);
    }, t("markedRead", { count }));
  }

  return { moveTo, moveToRole, remove, mark, empty, markAllRead, carryOut };
}
