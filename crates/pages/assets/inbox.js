// The inbox as it fills: the badge follows, and what comes goes into the list of its page, as text in the page's template.
// Listens while the page is seen, because a browser has few connections for one host.

const badge = document.querySelector("[data-inbox-badge]");
const list = document.querySelector("[data-inbox]");
const show = (selector, shown) => {
  const element = document.querySelector(selector);
  if (element) element.hidden = !shown;
};
let stream;
let last = list?.dataset.inbox; // Where to go on: nothing is missed between two times of looking.

function put({ id, title, body, at, url, archive }) {
  if (list.querySelector(`[data-message="${CSS.escape(id)}"]`)) return;
  const template = document.querySelector("[data-inbox-message]");
  const message = template.content.firstElementChild.cloneNode(true);
  const part = (name) => message.querySelector(`[data-${name}]`);
  message.dataset.message = id;
  part("title").textContent = title;
  part("body").textContent = body;
  part("at").textContent = at;
  part("archive").action = archive;
  if (url) {
    part("url").href = url;
    part("url").hidden = false;
  }
  list.prepend(message);
}

function take({ lastEventId, data }) {
  const { unread, items } = JSON.parse(data);
  last = lastEventId;
  badge.textContent = unread;
  badge.hidden = unread === 0;
  if (!list || items.length === 0) return;
  items.forEach(put);
  show("[data-inbox-empty]", false);
  show("[data-inbox-unread]", unread > 0);
  const told = document.querySelector("[data-inbox-told]");
  told.textContent = told.dataset.inboxTold;
}

function follow() {
  if (document.visibilityState === "hidden") {
    stream?.close();
    stream = undefined;
  } else if (!stream) {
    const after = last ? `?${new URLSearchParams({ after: last })}` : "";
    stream = new EventSource(badge.dataset.inboxBadge + after);
    stream.addEventListener("inbox", take);
  }
}

if (badge) {
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => stream?.close());
  follow();
}
