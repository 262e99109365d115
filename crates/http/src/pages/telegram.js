// Telegram's old page answers in the fragment, which no server sees: hand it over in a form, and out of the address.
"use strict";
if (navigator.language.startsWith("ru")) {
  document.documentElement.lang = "ru";
  document.getElementById("title").textContent = "Вход";
}

const state = new URLSearchParams(location.search).get("state") ?? "";
// A plus stands for itself in base64; form decoding would make it a space.
const fragment = new URLSearchParams(location.hash.slice(1).replaceAll("+", "%2B"));
const result = fragment.get("tgAuthResult");
history.replaceState(null, "", location.pathname);

const form = document.getElementById("answer");
form.action = location.pathname;
function put(name, value) {
  const input = document.createElement("input");
  input.type = "hidden";
  input.name = name;
  input.value = value;
  form.append(input);
}
put("state", state);
if (result === "false") put("error", "access_denied");
else if (result !== null) put("tgAuthResult", result);
form.submit();
