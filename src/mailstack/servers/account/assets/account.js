const post = (path, body) => fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body });

const signIn = async (form) => {
  const fault = form.querySelector("[role=alert]");
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const reply = await post("/sign-in", JSON.stringify(Object.fromEntries(new FormData(form))));
    if (reply.ok) return location.reload();
    fault.textContent = (await reply.json()).title;
  } catch {
    fault.textContent = form.dataset.offline;
  }
  button.disabled = false;
};

document.querySelector("#sign-in")?.addEventListener("submit", (event) => {
  event.preventDefault();
  signIn(event.target);
});

document.querySelector("#sign-out")?.addEventListener("click", async () => {
  await post("/sign-out");
  location.assign("/account");
});
