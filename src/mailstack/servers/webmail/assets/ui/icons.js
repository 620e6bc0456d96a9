// Signs beside the words, or instead of them where there is no room: drawn, so that they look the same everywhere.

import { html } from "../vendor/preact-htm.js";

const PATHS = {
  archive: "M3 5h18v4H3zM5 9v10h14V9M10 13h4",
  trash: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  junk: "M8 3h8l5 5v8l-5 5H8l-5-5V8zM12 8v5M12 16v.5",
  inbox: "M4 5h16l1 9v5H3v-5zM3 14h5l1.5 3h5L16 14h5",
  move: "M3 6h6l2 2h10v11H3zM9 13.5h6M13 11l2.5 2.5L13 16",
  read: "M3 10l9-6 9 6v10H3zM3 10l9 6 9-6",
  unread: "M3 6h18v13H3zM3 6l9 7 9-7",
  flag: "M12 3.5l2.6 5.6 6 .8-4.4 4.2 1.1 6L12 17.2 6.7 20.1l1.1-6L3.4 9.9l6-.8z",
  attachment: "M20 11.5l-8 8a5 5 0 0 1-7-7l8.5-8.5a3.4 3.4 0 0 1 4.8 4.8L10 17a1.7 1.7 0 0 1-2.4-2.4l7.2-7.2",
  answered: "M10 6L4 11.5 10 17M4 11.5h9c4 0 7 2 7 7",
  link: "M10 14a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.4 1.4M14 10a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.4-1.4",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M13 4.5v5h4v-5zM7 14.5v5h4v-5z",
  leave: "M10 4H5v16h5M10 12h10M16 8l4 4-4 4",
  quote: "M5 4v16M10 8h9M10 12h9M10 16h6",
  close: "M6 6l12 12M18 6L6 18",
  plus: "M12 5v14M5 12h14",
};

export function Icon({ name }) {
  return html`
    <svg class="icon ${name}" viewBox="0 0 24 24" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>
  `;
}
