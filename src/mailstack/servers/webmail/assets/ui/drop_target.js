// Files that are dragged over the page, wherever that is.

import { html, useEffect, useRef, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";

export function DropTarget({ onFiles }) {
  const [isOver, setOver] = useState(false);
  const take = useRef(onFiles);
  take.current = onFiles;

  useEffect(() => {
    const isOfFiles = (event) => event.dataTransfer?.types.includes("Files");
    const over = (event) => {
      if (!isOfFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    // Out of the window there is nothing that it goes to.
    const leave = (event) => event.relatedTarget === null && setOver(false);
    const drop = (event) => {
      setOver(false);
      if (!isOfFiles(event)) return;
      event.preventDefault();
      take.current(event.dataTransfer.files);
    };
    const heard = { dragenter: over, dragover: over, dragleave: leave, drop };
    for (const [name, listener] of Object.entries(heard)) addEventListener(name, listener);
    return () => {
      for (const [name, listener] of Object.entries(heard)) removeEventListener(name, listener);
    };
  }, []);

  return isOver && html`<p class="drop-target">${t("dropHere")}</p>`;
}
