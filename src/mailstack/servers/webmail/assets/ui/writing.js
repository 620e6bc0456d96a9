// The mail that is being written, if any: how it begins and how it ends.

import { useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { forget, recovered } from "../draft.js";
import { answerTo, newDraft, openedDraft } from "../quoting.js";
import { mostDelay, takeBack, UNDO_S } from "../sending.js";
import { t } from "../texts.js";
import { longDate } from "./dates.js";

export function useWriting(mail, submissions, { setNote, onFault }) {
  const [draft, setDraft] = useState(null);
  // What is undone later finds what is open then.
  const open = useRef(null);
  open.current = draft;

  useEffect(() => {
    const found = recovered(mail);
    if (found) setDraft(found);
    return () => forget(mail);
  }, []);

  // What was open is kept in Drafts first.
  async function leave() {
    const left = open.current;
    if (!left) return true;
    try {
      await left.saveAll();
    } catch (error) {
      onFault(error);
      return false;
    }
    left.stop();
    setDraft(null);
    return true;
  }

  async function begin(make) {
    if (!(await leave())) return null;
    try {
      const made = await make();
      setDraft(made);
      return made;
    } catch (error) {
      onFault(error);
      return null;
    }
  }

  async function discard() {
    setDraft(null);
    await draft.end();
    const { savedId } = draft;
    const trash = mail.mailboxWithRole("trash");
    if (savedId && trash) await mail.jmap.call("Email/set", { update: { [savedId]: { mailboxIds: { [trash.id]: true } } } }).catch(onFault);
  }

  async function attach(files) {
    const to = draft ?? await begin(() => newDraft(mail));
    await to?.files.attach(files);
  }

  // Taken back before all else: it may go any moment.
  async function takenBack(submissionId, emailId, origin) {
    try {
      await takeBack(mail, submissionId);
    } catch (error) {
      onFault(error);
      return;
    }
    await begin(async () => {
      const opened = await openedDraft(mail, emailId);
      if (origin) opened.origin = origin;
      await opened.mark(false);
      return opened;
    });
  }

  function tellOf(submissionId, emailId, at, origin) {
    const undo = () => takenBack(submissionId, emailId, origin);
    const text = at ? t("willBeSentAt", { date: longDate(at) }) : t("willBeSent");
    setNote(mostDelay(mail) >= UNDO_S ? { text, undo, seconds: UNDO_S } : { text });
  }

  function sent(submissionId, at) {
    setDraft(null);
    tellOf(submissionId, draft.savedId, at, draft.origin);
  }

  // Of what waits for its time.
  async function changeTime(submission, at) {
    try {
      tellOf(await submissions.reschedule(submission, at), submission.emailId, at, null);
    } catch (error) {
      onFault(error);
    }
    await submissions.sync().catch(onFault);
  }

  return {
    draft,
    leave,
    discard,
    sent,
    attach,
    changeTime,
    cancel: ({ id, emailId }) => takenBack(id, emailId, null),
    // of: the mail that has the email, which may be another's.
    write: (kind, email, of) => begin(() => (kind ? answerTo(mail, kind, email.id, of) : newDraft(mail))),
    openDraft: (id) => draft?.savedId !== id && begin(() => openedDraft(mail, id)),
  };
}
