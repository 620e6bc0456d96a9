// Where the text is written, with form or without.

import { html, useEffect, useRef } from "../vendor/preact-htm.js";
import { htmlOf, nodesOfHtml, nodesOfText, plainOf } from "../rich.js";
import { t } from "../texts.js";

const TELL_MS = 400;
const TOOLS = [
  ["bold", "B", "bold"], ["italic", "I", "italic"], ["underline", "U", "underline"],
  ["insertUnorderedList", "•", "bulletList"], ["insertOrderedList", "1.", "numberList"], ["formatBlock", "❝", "quote"],
];

// `told.now` tells what is written at once.
export function Editor({ draft, told, onFiles, isFocused }) {
  const area = useRef(null);
  const timer = useRef(0);

  function tell(root = area.current) {
    clearTimeout(timer.current);
    timer.current = 0;
    draft.edit({ html: htmlOf(root), text: plainOf(root) });
  }

  function tellSoon() {
    timer.current ||= setTimeout(() => tell(), TELL_MS);
  }

  useEffect(() => {
    const root = area.current;
    root.replaceChildren(draft.isRich ? nodesOfHtml(draft.html) : nodesOfText(draft.text));
    if (isFocused) {
      area.current.focus();
      getSelection().collapse(area.current, 0);
    }
    told.now = () => timer.current && tell();
    return () => timer.current && tell(root);
  }, [draft]);

  function format(command) {
    area.current.focus();
    document.execCommand(command, false, command === "formatBlock" ? "blockquote" : undefined);
    tell();
  }

  function link() {
    const place = prompt(t("linkTo"), "https://");
    if (!place || !/^(https?|mailto):/i.test(place)) return;
    area.current.focus();
    document.execCommand("createLink", false, place);
    tell();
  }

  function changeKind() {
    if (draft.isRich) area.current.replaceChildren(nodesOfText(plainOf(area.current)));
    draft.isRich = !draft.isRich;
    tell();
  }

  // As text: what other pages look like is not ours to send.
  function paste(event) {
    event.preventDefault();
    if (event.clipboardData.files.length) onFiles(event.clipboardData.files);
    else document.execCommand("insertText", false, event.clipboardData.getData("text/plain"));
  }

  const keepSelection = (event) => event.preventDefault();
  return html`
    <div class="tools" role="toolbar" aria-label=${t("richText")}>
      ${draft.isRich && TOOLS.map(([command, sign, name]) => html`
        <button
          key=${name} type="button" class="tool ${name}" aria-label=${t(name)} title=${t(name)}
          onMouseDown=${keepSelection} onClick=${() => format(command)}
        >${sign}</button>
      `)}
      ${draft.isRich && html`
        <button type="button" class="tool" aria-label=${t("link")} title=${t("link")} onMouseDown=${keepSelection} onClick=${link}>🔗</button>
      `}
      <button type="button" class="tool kind" onClick=${changeKind}>${t(draft.isRich ? "plainText" : "richText")}</button>
    </div>
    <div
      class="editor" ref=${area} contenteditable=${draft.isRich ? "true" : "plaintext-only"} role="textbox"
      aria-multiline="true" aria-label=${t("messageText")} onInput=${tellSoon} onPaste=${paste} onBlur=${() => told.now()}
    ></div>
  `;
}
