import { html, useEffect, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";

// Most visits are to read: these pages are loaded when they are wanted.
export function Settings(props) {
  const [page, setPage] = useState(null);
  const [fault, setFault] = useState("");
  useEffect(() => {
    import("./settings/pages.js").then(
      ({ Pages }) => setPage(() => Pages),
      () => setFault(t("cannotShow")),
    );
  }, []);
  if (page) return html`<${page} ...${props} />`;
  return html`<p class="note" role="status">${fault || t("loading")} ${fault && html`<a href="#/">${t("backToMail")}</a>`}</p>`;
}
