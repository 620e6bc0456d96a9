// Text with form: HTML of elsewhere made into nodes of ours, and nodes made into plain text.

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
const TAG = /<[^>]*>/g;
const renamed = (tag) => tag.replace(/^<(\/?)style\b/i, "<$1template").replace(/\s(style|on\w+)(?=\s*=)/gi, " data-$1");

export function nodesOfHtml(html) {
  const text = html.replace(TAG, renamed);
  const parsed = new DOMParser().parseFromString(inert ? inert.createHTML(text) : text, "text/html");
  const only = parsed.body.children.length === 1 ? parsed.body.firstElementChild : null;
  const isOurs = only?.getAttribute("data-style") === AS_WRITTEN;
  const nodes = document.createDocumentFragment();
  copyInto(nodes, isOurs ? only : parsed.body, isOurs);
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

export function htmlOf(root) {
  return `<div style="${AS_WRITTEN}">${root.innerHTML}</div>`;
}

function copyInto(target, source, isWritten) {
  for (const node of source.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) copyText(target, node.data, isWritten);
    else if (node.nodeType === Node.ELEMENT_NODE) copyElement(target, node, isWritten);
  }
}

function copyText(target, text, isWritten) {
  if (isWritten) target.append(text);
  else if (text.trim() || !text.includes("\n")) target.append(text.replace(/[ \t\r\n]+/g, " "));
}

function copyElement(target, element, isWritten) {
  const name = element.tagName.toUpperCase();
  if (DROPPED.has(name)) return;
  let inner = target;
  if (KEPT.has(name) || BLOCKS.has(name)) {
    inner = document.createElement(KEPT.has(name) ? name : "div");
    const place = name === "A" && element.getAttribute("href");
    if (place && PLACES.test(place)) inner.setAttribute("href", place);
    target.append(inner);
  }
  copyInto(inner, element, isWritten || name === "PRE");
}

export function plainOf(root) {
  return plain(root).replace(/\s+$/, "");
}

function plain(root) {
  let text = "";
  for (const node of root.childNodes) {
    if (node.nodeType === Node.TEXT_NODE) text += node.data.replace(/\u00a0/g, " ");
    else if (node.tagName === "BR") text += "\n";
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
