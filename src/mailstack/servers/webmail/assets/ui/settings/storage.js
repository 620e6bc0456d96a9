import { html } from "../../vendor/preact-htm.js";
import { QUOTA } from "../../jmap.js";
import { t } from "../../texts.js";
import { Loading, useLoaded } from "./form.js";
import { sizeText } from "../sizes.js";

const NEARLY_FULL = 0.9;

export function Storage({ accounts }) {
  const others = accounts.shared.filter(({ mail }) => mail.jmap.has(QUOTA));
  return html`
    <${Used} jmap=${accounts.own.jmap} label=${t("storage")} saysNoLimit />
    ${others.map(({ owner, mail }) => html`<${Used} key=${owner} jmap=${mail.jmap} label=${t("storageOf", { owner })} />`)}
  `;
}

function Used({ jmap, label, saysNoLimit = false }) {
  const loaded = useLoaded(() => jmap.call("Quota/get", { ids: null }));
  if (!loaded.value) return html`<${Loading} loaded=${loaded} />`;
  const quotas = loaded.value.list.filter(({ resourceType }) => resourceType === "octets");
  if (!quotas.length) return saysNoLimit ? html`<p>${t("storageFree")}</p>` : null;
  return quotas.map(({ id, used, hardLimit }) => html`
    <section key=${id} class="used">
      <p id="${id}-label"><strong>${label}</strong></p>
      <meter aria-labelledby="${id}-label" min="0" max=${hardLimit} high=${hardLimit * NEARLY_FULL} value=${used}></meter>
      <p class="hint">${t("storageUsed", { used: sizeText(used), limit: sizeText(hardLimit) })}</p>
    </section>
  `);
}
