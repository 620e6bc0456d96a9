// The mail that is being written, if any: how it begins and how it ends.

import { useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { forget, recovered } from "../draft.js";
import { answerTo, newDraft, openedDraft } from "../quoting.js";
import { mostDelay, UNDO_S } from "../sending.js";
import { t } from "../texts.js";
import { longDate } from "./dates.js";

export function useWriting(mail, { setNote, onFault }) {
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

  function sent(submissionId, at) {
    const gone = draft;
    setDraft(null);
    const undo = async () => {
      await gone.takeBack(submissionId);
      await begin(async () => Object.assign(await openedDraft(mail, gone.savedId), { origin: gone.origin }));
    };
    const text = at ? t("willBeSentAt", { date: longDate(at) }) : t("willBeSent");
    setNote(mostDelay(mail) >= UNDO_S ? { text, undo, seconds: UNDO_S } : { text });
  }

  return {
    draft,
    leave,
    discard,
    sent,
    attach,
    // of: the mail that has the email, which may be another's.
    write: (kind, email, of) => begin(() => (kind ? answerTo(mail, kind, email.id, of) : newDraft(mail))),
    openDraft: (id) => draft?.savedId !== id && begin(() => openedDraft(mail, id)),
  };
}
