// A mailbox is chosen of all there are, by some letters of its name: of one's own, and of what others share.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { Dialog } from "./dialog.js";
import { mailboxPath } from "./mailbox_names.js";

// places: { mail, owner, box } of each mailbox that may be chosen; box is null for the top. onMake: with the name of a new one.
export function Chooser({ label, places, onChoose, onMake = null, onClose }) {
  const [typed, setTyped] = useState("");
  const [at, setAt] = useState(0);
  const list = useRef(null);
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  const choices = places.map((place) => ({ ...place, text: textOf(place) }))
    .filter(({ text }) => words.every((word) => text.toLowerCase().includes(word)))
    .map((place) => ({ ...place, choose: () => onChoose(place) }));
  if (onMake) choices.push({ text: typed.trim() ? t("newMailboxNamed", { name: typed.trim() }) : t("newMailbox"), choose: () => onMake(typed.trim()) });
  const chosen = Math.min(at, choices.length - 1);

  useEffect(() => {
    list.current.children[chosen]?.scrollIntoView({ block: "nearest" });
  }, [chosen, typed]);

  function onKeyDown(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && choices.length) setAt((chosen + step + choices.length) % choices.length);
    else if (event.key === "Enter") choices[chosen]?.choose();
    else return;
    event.preventDefault();
  }

  return html`
    <${Dialog} label=${label} kind="chooser" onClose=${onClose}>
      <h2>${label}</h2>
      <input
        type="text" role="combobox" aria-label=${t("mailbox")} placeholder=${t("mailbox")} autocomplete="off" spellcheck=${false}
        aria-expanded="true" aria-controls="choices" aria-activedescendant=${choices.length ? `choice-${chosen}` : null}
        value=${typed} autofocus onKeyDown=${onKeyDown}
        onInput=${(event) => {
          setTyped(event.target.value);
          setAt(0);
        }}
      />
      <ul id="choices" role="listbox" aria-label=${t("mailboxes")} ref=${list}>
        ${choices.map(({ text, choose }, place) => html`
          <li key=${text} id="choice-${place}" role="option" aria-selected=${place === chosen} onClick=${choose}>${text}</li>
        `)}
      </ul>
      <button onClick=${onClose}>${t("cancel")}</button>
    <//>
  `;
}

function textOf({ mail, owner, box }) {
  const path = box ? mailboxPath(mail, box) : t("atTop");
  return owner ? `${path} (${owner})` : path;
}
