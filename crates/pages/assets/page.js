// What pages do beyond forms: every page works without it. Texts only ever go in as text; nothing leaves this host.

// What went wrong is where reading goes on.
document.querySelector("[data-focus]")?.focus();

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  event.target.dataset.sent = "yes";
});

// A page that the back button brings out of the browser's memory may be of somebody who has signed out since.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// The setup link carries its token behind #, which browsers send to nobody.
for (const form of document.querySelectorAll("[data-token-from-fragment]")) {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  const field = form.elements[form.dataset.tokenFromFragment];
  if (token && !field.value) field.value = token;
}

// Copying and printing need a script, so their buttons are only shown by one.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
for (const button of document.querySelectorAll("[data-copy]")) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    const lines = [...document.getElementById(button.dataset.copy).children].map((line) => line.textContent.trim());
    await navigator.clipboard.writeText(lines.join("\n"));
    button.textContent = button.dataset.done;
  });
}

// Whether somebody has confirmed elsewhere is asked every few seconds, as their button would.
for (const form of document.querySelectorAll("[data-poll]")) setTimeout(() => form.requestSubmit(), 4000);

// The first page after a sign-in tells whoever keeps passkeys which are good here.
const header = document.querySelector("[data-signals-after]");
if (header && sessionStorage.signsIn) {
  header.dataset.signals = header.dataset.signalsAfter;
  import(header.dataset.passkeys);
}

// Whoever leaves with changes that are not saved is asked.
for (const form of document.querySelectorAll("[data-guard]")) {
  let changed = false;
  form.addEventListener("input", () => (changed = true));
  form.addEventListener("submit", () => (changed = false));
  addEventListener("beforeunload", (event) => changed && event.preventDefault());
}

// A list is looked up anew while somebody types; the form's button does the same.
for (const form of document.querySelectorAll("[data-live]")) {
  let latest = 0;
  const look = async (mine) => {
    const address = `${form.getAttribute("action")}?${new URLSearchParams(new FormData(form))}`;
    const answer = await fetch(address);
    const page = answer.ok && new DOMParser().parseFromString(await answer.text(), "text/html");
    const found = page && page.getElementById(form.dataset.live);
    if (!found || mine !== latest) return;
    document.getElementById(form.dataset.live).replaceChildren(...found.childNodes);
    history.replaceState(null, "", address);
  };
  form.addEventListener("input", () => {
    const mine = ++latest;
    setTimeout(() => mine === latest && look(mine), 250);
  });
}
