// The mail that is being written, if any: how it begins and how it ends.

import { useEffect, useState } from "../vendor/preact-htm.js";
import { forget, recovered, UNDO_S } from "../draft.js";
import { answerTo, newDraft, openedDraft } from "../quoting.js";
import { t } from "../texts.js";
import { longDate } from "./dates.js";

export function useWriting(mail, { setNote, onFault }) {
  const [draft, setDraft] = useState(null);

  useEffect(() => {
    const found = recovered(mail);
    if (found) setDraft(found);
    return () => forget(mail);
  }, []);

  // What was open is kept in Drafts first.
  async function leave() {
    if (!draft) return true;
    try {
      await draft.saveAll();
    } catch (error) {
      onFault(error);
      return false;
    }
    draft.stop();
    setDraft(null);
    return true;
  }

  async function begin(make) {
    if (!(await leave())) return;
    try {
      setDraft(await make());
    } catch (error) {
      onFault(error);
    }
  }

  async function discard() {
    setDraft(null);
    await draft.end();
    const { savedId } = draft;
    const trash = mail.mailboxWithRole("trash");
    if (savedId && trash) await mail.jmap.call("Email/set", { update: { [savedId]: { mailboxIds: { [trash.id]: true } } } }).catch(onFault);
  }

  function sent(submissionId, at) {
    const gone = draft;
    setDraft(null);
    const undo = async () => {
      await gone.takeBack(submissionId);
      setDraft(await openedDraft(mail, gone.savedId));
    };
    const text = at ? t("willBeSentAt", { date: longDate(at) }) : t("willBeSent");
    setNote(gone.mayBeDelayed >= UNDO_S ? { text, undo, seconds: UNDO_S } : { text });
  }

  return {
    draft,
    leave,
    discard,
    sent,
    // of: the mail that has the email, which may be another's.
    write: (kind, email, of) => begin(() => (kind ? answerTo(mail, kind, email.id, of) : newDraft(mail))),
    openDraft: (id) => draft?.savedId !== id && begin(() => openedDraft(mail, id)),
  };
}
