// A field for addresses: each that is whole becomes a chip, with those suggested that are known from mail.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { parseAddresses, pieces, whyNoAddress } from "../addresses.js";
import { t } from "../texts.js";
import { Icon } from "./icons.js";
import { writtenAddress } from "./people.js";

const MOST = 6;

export function AddressField({ name, value, mail, onChange, isFocused }) {
  const box = useRef(null);
  const input = useRef(null);
  const [chips, setChips] = useState(() => parseAddresses(value));
  const [typed, setTyped] = useState("");
  const [found, setFound] = useState([]);
  const [chosen, setChosen] = useState(0);

  useEffect(() => {
    if (isFocused) input.current.focus();
  }, []);

  function show(nextChips, nextTyped) {
    setChips(nextChips);
    setTyped(nextTyped);
    const text = [...nextChips.map(writtenAddress), nextTyped.trim()].filter(Boolean).join(", ");
    if (text !== value) onChange(text);
  }

  async function type(text) {
    const parts = pieces(text);
    show([...chips, ...parts.slice(0, -1).flatMap(parseAddresses)], parts.at(-1).trimStart());
    const sought = parts.at(-1).trim().toLowerCase();
    if (!sought) return setFound([]);
    const known = await mail.correspondents().catch(() => []);
    if (input.current?.value.trim().toLowerCase() !== sought) return;
    const fits = known.filter((each) => `${each.name ?? ""} ${each.email}`.toLowerCase().includes(sought));
    setFound(fits.slice(0, MOST));
    setChosen(0);
  }

  function take(address) {
    setFound([]);
    show([...chips, address], "");
    input.current.focus();
  }

  // What is typed is meant as it stands once one goes on.
  function settle() {
    setFound([]);
    if (typed.trim()) show([...chips, ...parseAddresses(typed)], "");
  }

  function remove(at) {
    show(chips.filter((_, place) => place !== at), typed);
    input.current.focus();
  }

  function change(at) {
    const others = [...chips.filter((_, place) => place !== at), ...parseAddresses(typed)];
    show(others, writtenAddress(chips[at]));
    input.current.focus();
  }

  function paste(event) {
    const text = event.clipboardData.getData("text/plain");
    const pasted = parseAddresses(text);
    if (pasted.length < 2 && !pasted.every(({ email }) => !whyNoAddress(email))) return;
    event.preventDefault();
    setFound([]);
    show([...chips, ...parseAddresses(typed), ...pasted], "");
  }

  function focusChip(at) {
    (box.current.querySelectorAll(".chip button")[at] ?? input.current).focus();
  }

  function onSuggestionKey(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((chosen + step + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") take(found[chosen]);
    else if (event.key === "Escape") setFound([]);
    else return false;
    return true;
  }

  function onKeyDown(event) {
    if (event.ctrlKey || event.metaKey) return;
    const isAtStart = !input.current.selectionStart && !input.current.selectionEnd;
    if (found.length && onSuggestionKey(event)) event.stopPropagation();
    else if (event.key === "Enter" && typed.trim()) settle();
    else if (event.key === "Backspace" && isAtStart && !typed && chips.length) change(chips.length - 1);
    else if (event.key === "ArrowLeft" && isAtStart && chips.length) focusChip(chips.length - 1);
    else return;
    event.preventDefault();
  }

  function onChipKey(event, at) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (step) focusChip(Math.max(0, at + step));
    else if (event.key === "Delete" || event.key === "Backspace") remove(at);
    else return;
    event.preventDefault();
  }

  const [listId, faultId, inputId] = [`known-${name}`, `fault-${name}`, `address-${name}`];
  const faults = chips.map(({ email }) => whyNoAddress(email) && t(whyNoAddress(email), { text: email })).filter(Boolean);
  return html`
    <div class="field addresses" ref=${box}>
      <label for=${inputId}>${t(name)}</label>
      <div class="entries">
        ${chips.length > 0 && html`
          <div class="chips" role="list" aria-label=${t(name)}>
            ${chips.map((each, at) => html`
              <span key="${at}-${each.email}" class="chip ${whyNoAddress(each.email) ? "wrong" : ""}" role="listitem">
                <button
                  type="button" tabindex="-1" aria-label=${t("editAddress", { address: writtenAddress(each) })} title=${each.email}
                  onClick=${() => change(at)} onKeyDown=${(event) => onChipKey(event, at)}
                >${writtenAddress(each)}</button>
                <span class="away" aria-hidden="true" onClick=${() => remove(at)}><${Icon} name="close" /></span>
              </span>
            `)}
          </div>
        `}
        <input
          id=${inputId} ref=${input} value=${typed} autocomplete="off" spellcheck=${false}
          role="combobox" aria-expanded=${found.length > 0} aria-controls=${listId} aria-autocomplete="list"
          aria-activedescendant=${found.length ? `${listId}-${chosen}` : null}
          aria-invalid=${faults.length > 0} aria-describedby=${faultId}
          onInput=${(event) => type(event.target.value)} onKeyDown=${onKeyDown} onPaste=${paste} onBlur=${settle}
        />
      </div>
      <p class="fault" id=${faultId} hidden=${!faults.length}>${faults[0]}</p>
      <ul class="known" id=${listId} role="listbox" aria-label=${t(name)} hidden=${!found.length}>
        ${found.map((each, at) => html`
          <li
            key=${each.email} id="${listId}-${at}" role="option" aria-selected=${at === chosen}
            onMouseDown=${(event) => {
              event.preventDefault();
              take(each);
            }}
          >${writtenAddress(each)}</li>
        `)}
      </ul>
    </div>
  `;
}
