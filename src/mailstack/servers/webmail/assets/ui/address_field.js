// A field for addresses, with those that are known from mail.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";
import { lastTyped, withLast } from "../addresses.js";
import { writtenAddress } from "./people.js";

const MOST = 6;

export function AddressField({ name, value, mail, onChange, isFocused }) {
  const input = useRef(null);
  const [found, setFound] = useState([]);
  const [chosen, setChosen] = useState(0);

  useEffect(() => {
    if (isFocused) input.current.focus();
  }, []);

  async function suggest(text) {
    onChange(text);
    const typed = lastTyped(text).toLowerCase();
    if (!typed) return setFound([]);
    const known = await mail.correspondents().catch(() => []);
    if (input.current?.value !== text) return;
    const fits = known.filter((each) => `${each.name ?? ""} ${each.email}`.toLowerCase().includes(typed));
    setFound(fits.slice(0, MOST));
    setChosen(0);
  }

  function take(address) {
    setFound([]);
    onChange(withLast(value, writtenAddress(address)));
    input.current.focus();
  }

  function onKeyDown(event) {
    if (!found.length) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setChosen((chosen + step + found.length) % found.length);
    else if (event.key === "Enter" || event.key === "Tab") take(found[chosen]);
    else if (event.key === "Escape") setFound([]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const listId = `known-${name}`;
  return html`
    <label class="field">
      <span>${t(name)}</span>
      <input
        ref=${input} value=${value} autocomplete="off" spellcheck=${false}
        role="combobox" aria-expanded=${found.length > 0} aria-controls=${listId} aria-autocomplete="list"
        aria-activedescendant=${found.length ? `${listId}-${chosen}` : null}
        onInput=${(event) => suggest(event.target.value)} onKeyDown=${onKeyDown} onBlur=${() => setFound([])}
      />
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
    </label>
  `;
}
