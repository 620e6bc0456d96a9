// A text with numbers at its lines, and the faults that the server finds in it.

import { html, useEffect, useRef, useState } from "../../vendor/preact-htm.js";
import { t } from "../../texts.js";
import { faultText } from "../faults.js";
import { faultsOf } from "./scripts.js";

const PAUSE_MS = 500;

export function ScriptEditor({ jmap, text, isLocked, onInput }) {
  const area = useRef(null);
  const gutter = useRef(null);
  const checked = useFaults(jmap, text, isLocked);
  const lines = text.split("\n").length;
  const faulty = new Set(checked.faults.map(({ line }) => line));

  function goTo({ line, column }) {
    const start = text.split("\n").slice(0, line - 1).reduce((sum, each) => sum + each.length + 1, 0);
    const at = Math.min(start + Math.max(column - 1, 0), text.length);
    area.current.focus();
    area.current.setSelectionRange(at, at);
  }

  return html`
    <div class="editor">
      <label for="script-text">${t("scriptText")}</label>
      <div class="numbered">
        <ol ref=${gutter} aria-hidden="true">
          ${Array.from({ length: lines }, (_, at) => html`<li key=${at} class=${faulty.has(at + 1) ? "faulty" : ""}>${at + 1}</li>`)}
        </ol>
        <textarea
          id="script-text" class="code" rows="18" wrap="off" spellcheck=${false} autocapitalize="off" ref=${area}
          value=${text} readonly=${isLocked} aria-invalid=${checked.faults.length > 0} aria-describedby="script-faults"
          onInput=${(event) => onInput(event.target.value)}
          onScroll=${() => (gutter.current.scrollTop = area.current.scrollTop)}
        ></textarea>
      </div>
      <div id="script-faults" role="status">
        ${!isLocked && html`<p class=${checked.faults.length ? "fault" : "hint"}>${checked.said}</p>`}
        ${checked.faults.length > 0 && html`
          <ul class="faults">
            ${checked.faults.map((fault) => html`
              <li>${fault.line
                ? html`<button type="button" class="link" onClick=${() => goTo(fault)}>${t("faultAt", fault)}</button>`
                : fault.text}</li>
            `)}
          </ul>
        `}
      </div>
    </div>
  `;
}

// Asked once nobody has typed for a moment; an answer to an older text is passed over.
function useFaults(jmap, text, isLocked) {
  const [checked, setChecked] = useState({ said: "", faults: [] });
  useEffect(() => {
    if (isLocked || !text.trim()) {
      setChecked({ said: "", faults: [] });
      return undefined;
    }
    let isCurrent = true;
    const tell = (found) => isCurrent && setChecked(found);
    const timer = setTimeout(() => {
      faultsOf(jmap, text).then(
        (faults) => tell({ faults, said: faults.length ? t("scriptFaults", { count: faults.length }) : t("scriptFits") }),
        (error) => tell({ faults: [], said: faultText(error) }),
      );
    }, PAUSE_MS);
    return () => {
      isCurrent = false;
      clearTimeout(timer);
    };
  }, [text, isLocked]);
  return checked;
}
