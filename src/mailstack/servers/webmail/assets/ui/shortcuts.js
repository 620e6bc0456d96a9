import { html } from "../vendor/preact-htm.js";
import { t } from "../texts.js";

const SHOWN = [
  ["j", "next"], ["k", "previous"], ["u", "back"], ["c", "compose"], ["r", "reply"], ["a", "replyAll"], ["f", "forward"],
  ["e", "archive"], ["#", "delete"], ["!", "junk"], ["s", "flag"], ["x", "select"], ["z", "undo"], ["/", "search"],
  ["?", "shortcuts"],
];

export function Shortcuts({ onClose }) {
  return html`
    <dialog
      class="shortcuts" aria-label=${t("shortcuts")} onClose=${onClose}
      ref=${(element) => element && !element.open && element.showModal()}
    >
      <h2>${t("shortcuts")}</h2>
      <dl>${SHOWN.map(([key, name]) => html`<dt key=${key}><kbd>${key}</kbd></dt><dd>${t(name)}</dd>`)}</dl>
      <form method="dialog"><button>${t("close")}</button></form>
    </dialog>
  `;
}
