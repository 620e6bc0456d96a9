// What can be done with one thing, below the place where it was asked for.

import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";

// at: { x, y } on the page. items: { name, act }. The focus goes back to where it was.
export function Menu({ label, at, items, onClose }) {
  const box = useRef(null);

  useLayoutEffect(() => {
    const { style, offsetWidth, offsetHeight } = box.current;
    style.left = `${Math.max(4, Math.min(at.x, innerWidth - offsetWidth - 4))}px`;
    style.top = `${Math.max(4, Math.min(at.y, innerHeight - offsetHeight - 4))}px`;
  }, [at]);
  useLayoutEffect(() => {
    const before = document.activeElement;
    box.current.firstElementChild.focus();
    const closeOutside = (event) => box.current.contains(event.target) || onClose();
    addEventListener("pointerdown", closeOutside);
    return () => {
      removeEventListener("pointerdown", closeOutside);
      if (document.activeElement === document.body || box.current?.contains(document.activeElement)) before?.focus();
    };
  }, []);

  function onKeyDown(event) {
    const all = [...box.current.children];
    const now = all.indexOf(document.activeElement);
    const next = { ArrowDown: now + 1, ArrowUp: now - 1, Home: 0, End: -1 }[event.key];
    if (next !== undefined) all.at(next % all.length).focus();
    else if (event.key === "Escape" || event.key === "Tab") onClose();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  return html`
    <div class="menu" role="menu" aria-label=${label} ref=${box} onKeyDown=${onKeyDown}>
      ${items.map(({ name, act }) => html`
        <button
          key=${name} role="menuitem" tabindex="-1"
          onClick=${() => {
            onClose();
            act();
          }}
        >${name}</button>
      `)}
    </div>
  `;
}
