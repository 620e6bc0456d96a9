// Mail in a frame that runs nothing, as high as what is in it.

import { html, useRef, useState } from "../vendor/preact-htm.js";
import { t } from "../texts.js";

export function MessageFrame({ accountId, email, sender }) {
  const frame = useRef(null);
  const [hidden, setHidden] = useState(0);
  const [withPictures, setWithPictures] = useState(false);

  function measure() {
    const body = frame.current?.contentDocument?.body;
    if (!body) return;
    setHidden(Number(body.dataset.hiddenPictures || 0));
    const fit = () => {
      const needed = frame.current?.contentDocument?.documentElement.scrollHeight;
      if (needed) frame.current.style.height = `${needed}px`;
    };
    fit();
    new ResizeObserver(fit).observe(body);
  }

  const path = `/mail/shown/${encodeURIComponent(accountId)}/${encodeURIComponent(email.id)}`;
  return html`
    ${hidden > 0 && !withPictures && html`
      <p class="pictures">
        ${t("hiddenPictures", { count: hidden })}${" "}
        <button onClick=${() => setWithPictures(true)}>${t("showPictures")}</button>
      </p>
    `}
    <iframe
      ref=${frame} title=${t("messageOf", { sender })} src=${withPictures ? `${path}?pictures=1` : path}
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" onLoad=${measure}
    ></iframe>
  `;
}
