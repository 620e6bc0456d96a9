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
