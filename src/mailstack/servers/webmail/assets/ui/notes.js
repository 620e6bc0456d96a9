// What has just happened, said to all, with what takes it back; and how far something is.

import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";

// A note has a text; undo, what takes it back; seconds, after which it goes; progress, from 0 to 1, and stop.
export function useNote(onFault) {
  const [note, setNote] = useState(null);

  useEffect(() => {
    if (!note?.seconds) return undefined;
    const timer = setTimeout(() => setNote(null), note.seconds * 1000);
    return () => clearTimeout(timer);
  }, [note]);

  async function takeBack() {
    if (!note?.undo) return;
    const taking = (more) => setNote({ text: t("takingBack"), isTaking: true, ...more });
    taking();
    try {
      await note.undo((part) => part < 1 && taking({ progress: part }));
      // Unless something else has been said meanwhile.
      setNote((now) => (now?.isTaking ? { text: t("takenBack"), seconds: 5 } : now));
    } catch (error) {
      onFault(error);
    }
  }

  return { note, setNote, takeBack };
}

export function Notes({ note, onTakeBack }) {
  return html`
    <div class="notes" role="status" aria-live="polite">
      ${note && html`
        <p>
          ${note.text}${" "}
          ${note.progress !== undefined && html`<progress value=${note.progress} aria-label=${note.text}></progress>${" "}`}
          ${note.stop && html`<button onClick=${note.stop}>${t("stop")}</button>`}
          ${note.undo && html`<button onClick=${onTakeBack}>${t("undo")}</button>`}
        </p>
      `}
    </div>
  `;
}
