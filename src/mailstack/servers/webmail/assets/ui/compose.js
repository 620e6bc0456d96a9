import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { isAttachmentForgotten } from "../draft_email.js";
import { mostDelay } from "../sending.js";
import { signedBy } from "../signature.js";
import { t } from "../texts.js";
import { AddressField } from "./address_field.js";
import { Editor } from "./editor.js";
import { useChanges } from "./hooks.js";
import { Icon } from "./icons.js";
import { writtenAddress } from "./people.js";
import { SendLater } from "./send_later.js";
import { sizeText } from "./sizes.js";

const STATES = { saving: "draftSaving", saved: "draftSaved" };

export function Compose({ draft, onSent, onClose, onDiscard }) {
  useChanges(draft);
  const told = useRef({ now: () => {} }).current;
  const files = useRef(null);
  const [isBusy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const [isWarned, setWarned] = useState(false);
  const [isWide, setWide] = useState(Boolean(draft.cc || draft.bcc));
  const [isLater, setLater] = useState(false);
  const { mail } = draft;
  // What may have gone already is not written on.
  const isLocked = isBusy || draft.attempt !== null;

  useEffect(() => {
    const warn = (event) => {
      told.now();
      if (!draft.isSafe) event.preventDefault();
    };
    addEventListener("beforeunload", warn);
    if (draft.attempt) send();
    return () => removeEventListener("beforeunload", warn);
  }, [draft]);

  async function send(at = null) {
    told.now();
    if (!isWarned && isAttachmentForgotten(draft)) {
      setWarned(true);
      setFault(t("attachmentForgotten"));
      return;
    }
    setBusy(true);
    setFault("");
    try {
      const submissionId = await draft.send(at);
      if (submissionId) onSent(submissionId, at);
    } catch (error) {
      setFault(error.message);
      setBusy(false);
    }
  }

  function changeIdentity(identityId) {
    told.now();
    draft.edit({ ...signedBy(draft, mail.identities.find((each) => each.id === identityId)), identityId });
    told.show();
  }

  function close() {
    told.now();
    onClose();
  }

  function discard() {
    told.now();
    onDiscard();
  }

  function onKeyDown(event) {
    if (event.key === "Escape") close();
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !isBusy) send();
    else return;
    event.preventDefault();
  }

  const isAnswer = Boolean(draft.to);
  const address = (name, isFocused) => html`
    <${AddressField} name=${name} value=${draft[name]} mail=${mail} isFocused=${isFocused} onChange=${(text) => draft.edit({ [name]: text })} />
  `;
  const said = fault || draft.fault || (draft.isForked ? t("draftForked") : "");
  return html`
    <form
      class="compose" role="dialog" aria-label=${t("newMessage")} onSubmit=${(event) => event.preventDefault()} onKeyDown=${onKeyDown}
    >
      <header>
        <strong>${draft.subject || t("newMessage")}</strong>
        <span class="state" role="status">${draft.state in STATES ? t(STATES[draft.state]) : ""}</span>
        <button type="button" class="quiet" aria-label=${t("close")} title=${t("close")} onClick=${close}><${Icon} name="close" /></button>
      </header>
      <div class="writing" inert=${isLocked}>
        ${mail.identities.length > 1 && html`
          <label class="field">
            <span>${t("from")}</span>
            <select value=${draft.identityId} onChange=${(event) => changeIdentity(event.target.value)}>
              ${mail.identities.map((each) => html`<option key=${each.id} value=${each.id}>${writtenAddress(each)}</option>`)}
            </select>
          </label>
        `}
        <div class="to">
          ${address("to", !isAnswer)}
          ${!isWide && html`<button type="button" class="quiet" onClick=${() => setWide(true)}>${t("moreFields")}</button>`}
        </div>
        ${isWide && html`${address("cc")}${address("bcc")}`}
        <label class="field">
          <span>${t("subject")}</span>
          <input value=${draft.subject} onInput=${(event) => draft.edit({ subject: event.target.value })} onKeyDown=${toText} />
        </label>
        <${Editor} draft=${draft} told=${told} isFocused=${isAnswer} />
        <${Files} draft=${draft} />
      </div>
      <p class="fault" role="alert">${said}</p>
      <footer>
        <button type="button" class="primary" disabled=${isBusy} onClick=${() => send()}>
          ${isBusy ? t("sending") : t(isWarned ? "sendAnyway" : "send")}
        </button>
        ${mostDelay(mail) > 0 && html`
          <button type="button" disabled=${isLocked} aria-expanded=${isLater} onClick=${() => setLater(!isLater)}>${t("sendLater")}</button>
        `}
        <input
          ref=${files} type="file" multiple hidden aria-hidden="true"
          onChange=${(event) => {
            draft.files.attach(event.target.files);
            event.target.value = "";
          }}
        />
        <button type="button" disabled=${isLocked} onClick=${() => files.current.click()}>${t("attach")}</button>
        <button type="button" class="quiet last" disabled=${isLocked} onClick=${discard}>${t("discard")}</button>
        ${isLater && html`<${SendLater} isBusy=${isLocked} onChoose=${send} />`}
      </footer>
    </form>
  `;
}

// Who has typed the subject types the text next; its tools are a Shift+Tab away from there.
function toText(event) {
  if (event.key !== "Tab" || event.shiftKey) return;
  event.preventDefault();
  event.target.closest("form").querySelector(".editor").focus();
}

function Files({ draft }) {
  const shown = draft.attachments.filter((file) => !file.isInline);
  if (!shown.length) return null;
  return html`
    <ul class="attachments" aria-label=${t("attachments")}>
      ${shown.map((file) => html`
        <li key=${file}>
          ${file.name || file.type} <span class="size">${sizeText(file.size)}</span>
          ${!file.blobId && html`<progress value=${file.progress} aria-label=${file.name}></progress>`}
          <button
            type="button" class="quiet" aria-label=${t("removeAttachment", { name: file.name })} onClick=${() => draft.files.detach(file)}
          ><${Icon} name="close" /></button>
        </li>
      `)}
    </ul>
  `;
}
