// Mail in a frame that runs nothing, as high as what is in it.

import { html, useRef, useState } from "../vendor/preact-htm.js";
import { setAlwaysShown, shownPath } from "../pictures.js";
import { t } from "../texts.js";

const NOTHING_HIDDEN = { hidden: 0, leftOut: 0, author: "", isAlways: false };

export function MessageFrame({ accountId, email, sender, onFault }) {
  const frame = useRef(null);
  const [pictures, setPictures] = useState(NOTHING_HIDDEN);
  // turn: a document that is asked for anew is another, though its address is the same.
  const [asked, setAsked] = useState({ withPictures: false, turn: 0 });

  function measure() {
    const body = frame.current?.contentDocument?.body;
    if (!body) return;
    const { hiddenPictures, leftOut, author, isAlways } = body.dataset;
    setPictures({
      hidden: Number(hiddenPictures ?? 0), leftOut: Number(leftOut ?? 0), author: author ?? "", isAlways: isAlways === "1",
    });
    const fit = () => {
      const needed = frame.current?.contentDocument?.documentElement.scrollHeight;
      if (needed) frame.current.style.height = `${needed}px`;
    };
    fit();
    new ResizeObserver(fit).observe(body);
  }

  const show = (withPictures) => setAsked({ withPictures, turn: asked.turn + 1 });

  async function always(isAlways) {
    try {
      await setAlwaysShown(accountId, email.id, isAlways);
      show(false);
    } catch (error) {
      onFault(error);
    }
  }

  const path = shownPath(accountId, email.id);
  return html`
    <${PictureBar} pictures=${pictures} onShow=${() => show(true)} onAlways=${always} />
    <iframe
      key=${asked.turn} ref=${frame} title=${t("messageOf", { sender })}
      src=${asked.withPictures ? `${path}?pictures=1` : path}
      sandbox="allow-same-origin allow-popups allow-popups-to-escape-sandbox" onLoad=${measure}
    ></iframe>
  `;
}

function PictureBar({ pictures: { hidden, leftOut, author, isAlways }, onShow, onAlways }) {
  if (!hidden && !leftOut && !isAlways) return null;
  return html`
    <div class="pictures" role="group" aria-label=${t("pictures")}>
      <p>
        ${hidden > 0 && t("hiddenPictures", { count: hidden })}
        ${isAlways && t("alwaysShown", { author })}
        ${" "}${leftOut > 0 && t("trackersLeftOut", { count: leftOut })}
      </p>
      ${hidden > 0 && html`<button onClick=${onShow}>${t("showPictures")}</button>`}
      ${hidden > 0 && author && html`<button onClick=${() => onAlways(true)}>${t("showAlways", { author })}</button>`}
      ${isAlways && html`<button onClick=${() => onAlways(false)}>${t("showNoMore")}</button>`}
    </div>
  `;
}
