// Where the text is written, with form or without.

import { html, useEffect, useRef } from "../vendor/preact-htm.js";
import { isPicture } from "../attaching.js";
import { htmlOf, nodesOfHtml, nodesOfText, plainOf } from "../rich.js";
import { t } from "../texts.js";
import { Icon } from "./icons.js";

const TELL_MS = 400;
const TOOLS = [
  ["bold", "B", "bold"], ["italic", "I", "italic"], ["underline", "U", "underline"],
  ["insertUnorderedList", "•", "bulletList"], ["insertOrderedList", "1.", "numberList"], ["formatBlock", html`<${Icon} name="quote" />`, "quote"],
];

// `told.now` tells what is written at once, `told.show` shows what was written elsewhere.
export function Editor({ draft, told, isFocused }) {
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

  function show() {
    const nodes = draft.isRich ? nodesOfHtml(draft.html, (cid) => draft.pictureUrl(cid)) : nodesOfText(draft.text);
    area.current.replaceChildren(nodes);
  }

  useEffect(() => {
    const root = area.current;
    show();
    if (isFocused) {
      root.focus();
      getSelection().collapse(root, 0);
    }
    told.now = () => timer.current && tell();
    told.show = show;
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

  // Pictures of the text lie beside it where it has no form.
  function changeKind() {
    if (draft.isRich) {
      area.current.replaceChildren(nodesOfText(plainOf(area.current)));
      for (const file of draft.attachments) file.isInline = false;
    }
    draft.isRich = !draft.isRich;
    tell();
  }

  // As text: what other pages look like is not ours to send. Tables come as pictures too, but are meant as text.
  function paste(event) {
    event.preventDefault();
    const text = event.clipboardData.getData("text/plain");
    const files = [...event.clipboardData.files];
    if (text || !files.length) document.execCommand("insertText", false, text);
    else if (!draft.isRich) draft.files.attach(files);
    else {
      draft.files.attach(files.filter((file) => !isPicture(file)));
      files.filter(isPicture).forEach(insertPicture);
    }
  }

  async function insertPicture(blob) {
    const file = draft.files.attachInline(blob);
    if (!file) return;
    document.execCommand("insertImage", false, file.url);
    const picture = [...area.current.querySelectorAll("img")].find((each) => each.src === file.url);
    picture.dataset.cid = file.cid;
    picture.alt = file.name;
    tell();
    await file.done;
    if (!file.blobId) picture.remove();
    tell();
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
        <button type="button" class="tool" aria-label=${t("link")} title=${t("link")} onMouseDown=${keepSelection} onClick=${link}><${Icon} name="link" /></button>
      `}
      <button type="button" class="tool kind" onClick=${changeKind}>${t(draft.isRich ? "plainText" : "richText")}</button>
    </div>
    <div
      class="editor" ref=${area} contenteditable=${draft.isRich ? "true" : "plaintext-only"} role="textbox"
      aria-multiline="true" aria-label=${t("messageText")} onInput=${tellSoon} onPaste=${paste} onBlur=${() => told.now()}
    ></div>
  `;
}
