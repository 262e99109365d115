// What pages do beyond forms: every page works without it. Texts only ever go in as text; nothing leaves this host.

// What went wrong is where reading goes on.
document.querySelector("[data-focus]")?.focus();

// A form is sent once, however often its button is pressed.
for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", (event) => {
    if (form.dataset.sent) event.preventDefault();
    form.dataset.sent = "yes";
  });
}

// A page that the back button brings out of the browser's memory may be of somebody who has signed out since.
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
