import { begin, finish } from "./sign-in.js";

const part = (id) => document.getElementById(id);
const tell = (text) => (part("told").textContent = text);
const { userd } = await (await fetch("settings.json")).json();

part("sign-in").addEventListener("click", () => begin(userd));

async function show(answer) {
  if (!answer.ok) return tell(`${answer.status}: sign in again`);
  const items = (await answer.json()).map((what) => Object.assign(document.createElement("li"), { textContent: what }));
  part("list").replaceChildren(...items);
}

function open(session) {
  tell(`Signed in as ${session.user.email ?? session.user.display_name ?? session.user.id}`);
  part("orders").hidden = false;
  part("orders").addEventListener("submit", async (event) => {
    event.preventDefault();
    const what = new FormData(event.target).get("what");
    const headers = { "content-type": "application/json" };
    await show(await session.fetch("api/orders", { method: "POST", headers, body: JSON.stringify({ what }) }));
  });
  part("sign-out").addEventListener("click", async () => {
    await session.signOut();
    tell("Signed out");
    part("orders").hidden = true;
    part("sign-in").hidden = false;
  });
  return session.fetch("api/orders").then(show);
}

try {
  const session = await finish(userd);
  part("sign-in").hidden = session !== null;
  if (session) await open(session);
} catch (error) {
  tell(`Not signed in: ${error.message}`);
  part("sign-in").hidden = false;
}
