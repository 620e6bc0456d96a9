import { html } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { Dialog } from "./dialog.js";

const SHOWN = [
  ["j", "next"], ["k", "previous"], ["u", "back"], ["c", "compose"], ["r", "reply"], ["a", "replyAll"], ["f", "forward"],
  ["e", "archive"], ["#", "delete"], ["!", "junk"], ["v", "moveTo"], ["s", "flag"], ["I", "markRead"], ["U", "markUnread"],
  ["x", "select"], ["X", "selectRange"], ["Esc", "selectNone"], ["z", "undo"], ["/", "search"], ["?", "shortcuts"],
];

export function Shortcuts({ onClose }) {
  return html`
    <${Dialog} label=${t("shortcuts")} kind="shortcuts" onClose=${onClose}>
      <h2>${t("shortcuts")}</h2>
      <dl>${SHOWN.map(([key, name]) => html`<dt key=${key}><kbd>${key}</kbd></dt><dd>${t(name)}</dd>`)}</dl>
      <p class="hint">${t("listKeys")}</p>
      <form method="dialog"><button>${t("close")}</button></form>
    <//>
  `;
}
