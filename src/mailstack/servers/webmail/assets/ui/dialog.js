import { html, useLayoutEffect, useRef } from "../vendor/preact-htm.js";

// Over all else, with the focus in it. Escape closes it, unless that is for nobody to do.
export function Dialog({ label, onClose, kind = "", isHeld = false, children }) {
  const element = useRef(null);
  // Before the next key comes.
  useLayoutEffect(() => {
    const dialog = element.current;
    dialog.showModal();
    // Closed before it goes: the focus goes back to where it was.
    return () => dialog.close();
  }, []);
  // Browsers let nobody be held for long.
  function close() {
    if (!isHeld) onClose();
    else if (element.current?.isConnected) element.current.showModal();
  }

  return html`
    <dialog
      class="dialog ${kind}" aria-label=${label} ref=${element}
      onCancel=${(event) => isHeld && event.preventDefault()} onClose=${close}
    >
      ${children}
    </dialog>
  `;
}
