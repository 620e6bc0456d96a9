// Plain text as HTML that says the same.

const MARKS = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const LINK = /https?:\/\/[^\s<>"]*[^\s<>".,;:!?)]/g;

function escaped(text) {
  return text.replace(/[&<>"]/g, (mark) => MARKS[mark]);
}

function withLinks(text) {
  let found = "";
  let done = 0;
  for (const { 0: url, index } of text.matchAll(LINK)) {
    found += `${escaped(text.slice(done, index))}<a href="${escaped(url)}">${escaped(url)}</a>`;
    done = index + url.length;
  }
  return found + escaped(text.slice(done));
}

export function htmlOfText(text) {
  if (!text.trim()) return "";
  const paragraphs = text.trim().split(/\n{2,}/);
  return paragraphs.map((each) => `<p>${each.split("\n").map(withLinks).join("<br>")}</p>`).join("\n");
}
