// What Telegram signed about who opened the app is handed to userd, which answers tokens.
const part = (id) => document.getElementById(id);
const json = { "content-type": "application/json" };
const { userd } = await (await fetch("settings.json")).json();

const body = { init_data: Telegram.WebApp.initData };
// A reloaded app is handed the same data; userd takes it again from a device that it knows.
const device = sessionStorage.getItem("device");
if (device) body.device_token = device;
const answer = await fetch(`${userd}/v1/auth/telegram/mini-app`, { method: "POST", headers: json, body: JSON.stringify(body) });
const said = await answer.json();
part("told").textContent = said.access_token ? `Hello, ${said.user.display_name}` : (said.title ?? said.status);

if (said.access_token) {
  if (said.device_token) sessionStorage.setItem("device", said.device_token);
  const headers = { ...json, authorization: `Bearer ${said.access_token}` };
  const show = async (answer) => {
    const items = (await answer.json()).map((what) => Object.assign(document.createElement("li"), { textContent: what }));
    part("list").replaceChildren(...items);
  };
  part("orders").hidden = false;
  part("orders").addEventListener("submit", async (event) => {
    event.preventDefault();
    const order = JSON.stringify({ what: new FormData(event.target).get("what") });
    await show(await fetch("orders", { method: "POST", headers, body: order }));
  });
  await show(await fetch("orders", { headers }));
}
