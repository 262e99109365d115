// The built-in pages. Text only ever goes in as text; tokens stay in this page's memory.
"use strict";
const russian = navigator.language.startsWith("ru");
const say = (english, inRussian) => (russian ? inRussian : english);
const outcome = document.getElementById("outcome");
if (russian) {
  document.documentElement.lang = "ru";
  for (const element of document.querySelectorAll("[data-ru]")) element.textContent = element.dataset.ru;
}

function show(text, wrong) {
  outcome.textContent = text;
  outcome.className = wrong ? "wrong" : "";
}

async function call(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept-Language": russian ? "ru" : "en" },
    body: JSON.stringify(body),
  });
  const json = await answer.json();
  if (answer.ok) return json;
  const details = (json.errors ?? []).map((error) => `${error.pointer}: ${error.detail}`);
  throw new Error([json.title, ...details].join("\n"));
}

// What a word of the contract means, for people.
async function words(slug) {
  if (!/^[a-z_]+$/.test(slug)) return say("The link is not complete.", "Ссылка неполна.");
  const answer = await fetch(`problems/${slug}`, { headers: { Accept: "application/json" } });
  if (!answer.ok) return slug;
  const { title, title_ru, advice, advice_ru } = await answer.json();
  return say(`${title}. ${advice}`, `${title_ru}. ${advice_ru}`);
}

function setUp(form) {
  // The token is in the fragment, which browsers never send anywhere; it stays there, so that the page can be loaded again.
  const token = new URLSearchParams(location.hash.slice(1)).get("token") ?? "";
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const { username, password } = Object.fromEntries(new FormData(form));
    try {
      const { user } = await call("v1/setup", { setup_token: token, username, password });
      history.replaceState(null, "", location.pathname);
      form.hidden = true;
      show(say(
        `Done. ${user.username} is the administrator.\nNext: POST ${location.origin}/v1/auth/login with this name and password, or look at ${location.origin}/docs.`,
        `Готово. ${user.username} — администратор.\nДальше: POST ${location.origin}/v1/auth/login с этим именем и паролем или документация: ${location.origin}/docs.`,
      ), false);
    } catch (error) {
      show(error.message, true);
    }
  });
}

async function signedIn() {
  const query = new URLSearchParams(location.search);
  history.replaceState(null, "", location.pathname);
  if (query.has("error")) show(say("Not signed in.\n", "Вход не выполнен.\n") + await words(query.get("error")), true);
  if (query.has("linked")) show(say("Linked.", "Аккаунт привязан."), false);
  if (query.has("code")) {
    try {
      const { user } = await call("v1/auth/exchange", { code: query.get("code") });
      show(say("Signed in as ", "Вы вошли как ") + (user.display_name ?? user.username ?? user.id), false);
      const pre = document.getElementById("user");
      pre.textContent = JSON.stringify(user, null, 2);
      pre.hidden = false;
    } catch (error) {
      show(error.message, true);
    }
  }
  const { items } = await (await fetch("v1/auth/providers")).json();
  for (const provider of items) {
    const link = document.createElement("a");
    link.href = provider.start_url;
    link.textContent = say("Sign in with ", "Войти через ") + provider.display_name;
    const item = document.createElement("li");
    item.append(link);
    document.getElementById("providers").append(item);
  }
}

const form = document.getElementById("setup");
if (form) setUp(form);
else signedIn().catch((error) => show(error.message, true));
