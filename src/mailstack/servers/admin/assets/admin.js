// What our own pages answer is put into the page by htmx; they escape whatever others wrote.
if (window.trustedTypes) trustedTypes.createPolicy("default", { createHTML: (text) => text });

const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body });

const signIn = async (form) => {
  const fault = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  const given = Object.fromEntries(new FormData(form));
  button.disabled = true;
  try {
    const reply = await post("/sign-in", JSON.stringify(given));
    if (reply.ok) return location.reload();
    fault.textContent = (await reply.json()).title;
  } catch {
    fault.textContent = form.dataset.offline;
  }
  button.disabled = false;
};

document.addEventListener("submit", (event) => {
  if (event.target.id !== "sign-in") return;
  event.preventDefault();
  signIn(event.target);
});

document.addEventListener("click", async (event) => {
  if (event.target.id !== "sign-out") return;
  await post("/sign-out");
  location.assign("/admin");
});

// One box that ticks all of its table.
document.addEventListener("change", ({ target }) => {
  const name = target.dataset.ticks;
  if (name) for (const box of target.form.querySelectorAll(`input[name=${name}]`)) box.checked = target.checked;
});

// What was told of an act is told once: the page may be loaded again, or kept as a bookmark.
if (document.querySelector(".notice")) {
  const here = new URL(location.href);
  for (const name of ["told", "done", "left", "notices"]) here.searchParams.delete(name);
  history.replaceState(null, "", here);
}

document.addEventListener("click", async ({ target }) => {
  const { copies, copied } = target.dataset;
  if (!copies) return;
  await navigator.clipboard.writeText(document.getElementById(copies).textContent);
  target.textContent = copied;
});

// A table that is wider than the page can be moved by keys, and is no stop on the way where it is not.
new ResizeObserver(() => {
  for (const one of document.querySelectorAll(".scrolls")) {
    if (one.scrollWidth > one.clientWidth) one.tabIndex = 0;
    else one.removeAttribute("tabindex");
  }
}).observe(document.body);

// Whoever works by keys goes on where they were when a part of the page is replaced.
const REACHED = "a, button, input, select, summary";
const like = (one) => [one.tagName, one.getAttribute("href"), one.name, one.value, one.textContent].join("\n");
let pressed = null;
let held = "";

document.addEventListener("htmx:beforeRequest", ({ detail }) => {
  pressed = detail.elt.contains(document.activeElement) ? detail.target : null;
});

document.addEventListener("htmx:beforeSwap", ({ detail }) => {
  const active = document.activeElement;
  held = detail.target.contains(active) ? like(active) : "";
});

document.addEventListener("htmx:afterSettle", ({ detail }) => {
  const { target } = detail;
  if (document.activeElement !== document.body || (!held && pressed !== target)) return;
  const same = [...target.querySelectorAll(REACHED)].find((one) => held && like(one) === held);
  if (!same) target.tabIndex = -1;
  (same ?? target).focus({ preventScroll: true });
});

document.addEventListener("htmx:sendError", ({ detail }) => {
  detail.target.textContent = document.body.dataset.offline;
});
