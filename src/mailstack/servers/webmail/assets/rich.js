// Text with form: HTML of elsewhere made into nodes of ours, and nodes made into plain text.

import { unescaped } from "./escapes.js";

// What may be written and quoted. All else loses its mark and keeps its text.
const KEPT = new Set([
  "A", "B", "BLOCKQUOTE", "BR", "CODE", "DIV", "EM", "H1", "H2", "H3", "I", "LI", "OL", "P", "PRE", "STRONG", "U", "UL",
]);
const DROPPED = new Set(["HEAD", "SCRIPT", "STYLE", "TEMPLATE", "TITLE", "NOSCRIPT", "OBJECT", "SVG", "MATH"]);
const BLOCKS = new Set(["BLOCKQUOTE", "DIV", "H1", "H2", "H3", "LI", "OL", "P", "PRE", "TABLE", "TR", "UL"]);
const PLACES = /^(https?|mailto):/i;
const AS_WRITTEN = "white-space:pre-wrap";

// Parsed into a document that runs and loads nothing; only copies of what is named above leave it.
const inert = globalThis.trustedTypes?.createPolicy("inert-document", { createHTML: (text) => text });

// Styles and handlers are not for this page; by other names no browser complains of what its policy would keep from them.
// Sounds and films are loaded even there, and addresses are taken from elsewhere.
const TAG = /<[a-z/](?:[^>"']|"[^"]*"|'[^']*')*>?/gi;
const LEFT_OUT = /((?:^<\w+|[\s"'])[\s/]*)(style|on\w+)(?=\s*=)/gi;
const renamed = (tag) =>
  tag.replace(/^<(\/?)style\b/i, "<$1template").replace(/^<(\/?)(audio|video|base|meta|link)\b/i, "<$1x-$2").replace(LEFT_OUT, "$1data-$2");

// The class of what stands below a message, by which it is found again where another is to stand.
export const SIGNATURE = "signature";

// pictureUrl: gives where a picture of the mail is to be had, by its Content-ID, "" for nowhere. No other is kept.
export function nodesOfHtml(html, pictureUrl = () => "") {
  const text = html.replace(TAG, renamed);
  const parsed = new DOMParser().parseFromString(inert ? inert.createHTML(text) : text, "text/html");
  const only = parsed.body.children.length === 1 ? parsed.body.firstElementChild : null;
  const isOurs = only?.getAttribute("data-style") === AS_WRITTEN;
  const nodes = document.createDocumentFragment();
  copyInto(nodes, isOurs ? only : parsed.body, { isWritten: isOurs, isOurs, pictureUrl });
  return nodes;
}

export function nodesOfText(text) {
  const nodes = document.createDocumentFragment();
  for (const line of text.replace(/\r/g, "").split("\n")) {
    const block = document.createElement("div");
    block.append(line || document.createElement("br"));
    nodes.append(block);
  }
  return nodes;
}

// As it is sent: a copy in a document that loads nothing has its pictures by Content-ID.
export function htmlOf(root) {
  const copy = document.implementation.createHTMLDocument("").importNode(root, true);
  for (const picture of copy.querySelectorAll("img")) {
    // What was dragged here from elsewhere is no part of this mail.
    if (!picture.dataset.cid) picture.remove();
    else picture.setAttribute("src", cidUrl(picture.dataset.cid));
    picture.removeAttribute("data-cid");
  }
  return `<div style="${AS_WRITTEN}">${copy.innerHTML}</div>`;
}

function copyInto(target, source, how) {
  for (const node of source.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) copyText(target, node.data, how.isWritten);
    else if (node.nodeType === Node.ELEMENT_NODE) copyElement(target, node, how);
  }
}

function copyText(target, text, isWritten) {
  if (isWritten) target.append(text);
  else if (text.trim() || !text.includes("\n")) target.append(text.replace(/[ \t\r\n]+/g, " "));
}

function copyElement(target, element, how) {
  const name = element.tagName.toUpperCase();
  if (DROPPED.has(name)) return;
  if (name === "IMG") return copyPicture(target, element, how.pictureUrl);
  let inner = target;
  if (KEPT.has(name) || BLOCKS.has(name)) {
    inner = document.createElement(KEPT.has(name) ? name : "div");
    const place = name === "A" && element.getAttribute("href");
    if (place && PLACES.test(place)) inner.setAttribute("href", place);
    if (how.isOurs && element.className === SIGNATURE) inner.className = SIGNATURE;
    target.append(inner);
  }
  copyInto(inner, element, name === "PRE" ? { ...how, isWritten: true } : how);
}

// One of elsewhere would tell its owner that it was seen: what it shows is told in words, if it says so.
function copyPicture(target, element, pictureUrl) {
  const cid = cidIn(element.getAttribute("src") ?? "");
  const url = cid && pictureUrl(cid);
  const alt = element.getAttribute("alt") ?? "";
  if (!url) return target.append(alt.trim() && `[${alt.trim()}]`);
  const picture = document.createElement("img");
  for (const name of ["width", "height"]) {
    if (/^\d{1,4}$/.test(element.getAttribute(name) ?? "")) picture.setAttribute(name, element.getAttribute(name));
  }
  picture.alt = alt;
  picture.src = url;
  picture.dataset.cid = cid;
  target.append(picture);
}

// Whether the text, as htmlOf has it, shows the picture.
export function hasPicture(html, cid) {
  return html.includes(`"${cidUrl(cid)}"`);
}

// RFC 2392 §2. Quotes and the like would not stand in HTML as they are.
function cidUrl(cid) {
  return `cid:${encodeURI(cid).replace(/&/g, "%26")}`;
}

function cidIn(address) {
  const [, found] = /^\s*cid:(.*?)\s*$/i.exec(address) ?? [];
  return found && unescaped(found);
}

export function plainOf(root) {
  return plain(root).replace(/\s+$/, "");
}

function plain(root) {
  let text = "";
  for (const node of root.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) text += node.data.replace(/\u00a0/g, " ");
    else if (node.tagName === "BR") text += "\n";
    else if (node.tagName === "IMG") text += node.alt && `[${node.alt}]`;
    else if (BLOCKS.has(node.tagName)) text = `${text}${text && !text.endsWith("\n") ? "\n" : ""}${plainBlock(node)}\n`;
    else if (node.nodeType === Node.ELEMENT_NODE) text += plainInline(node);
  }
  return text;
}

function plainInline(element) {
  const text = plain(element);
  const place = element.tagName === "A" ? element.getAttribute("href") : null;
  return place && place !== text && place !== `mailto:${text}` ? `${text} <${place}>` : text;
}

function plainBlock(element) {
  const text = plain(element).replace(/\n$/, "");
  if (element.tagName === "BLOCKQUOTE") return quotedLines(text);
  if (element.tagName === "P") return `${text}\n`;
  if (element.tagName !== "LI") return text;
  const place = [...element.parentNode.children].indexOf(element) + 1;
  return `${element.parentNode.tagName === "OL" ? `${place}.` : "-"} ${text}`;
}

function quotedLines(text) {
  const lines = text.trimEnd().split("\n");
  return lines.map((line) => `>${line && !line.startsWith(">") ? " " : ""}${line}`).join("\n");
}
