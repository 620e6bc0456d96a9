import { html } from "../vendor/preact-htm.js";
import { t } from "../texts.js";

export function SearchField({ field, onSearch }) {
  function submit(event) {
    event.preventDefault();
    onSearch(field.current.value);
  }
  return html`
    <form class="search" role="search" onSubmit=${submit}>
      <input
        ref=${field} type="search" aria-label=${t("search")} placeholder=${t("search")} title=${t("searchHint")}
        onKeyDown=${(event) => event.key === "Escape" && event.target.blur()}
      />
    </form>
  `;
}
