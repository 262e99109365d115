// What the scripts of pages do in a real browser: pages_passkeys.mjs <address> <folder for pictures> <chromium>
//
// The inbox fills while its page is open; passkeys are made, shown and removed with Chromium's virtual authenticator. One line
// of JSON says what was seen.
import { start } from "./chromium.mjs";

const [address, folder, executablePath] = process.argv.slice(2);
// Passkeys belong to a domain, and an address has none.
const named = address.replace("127.0.0.1", "localhost");
const password = "correct horse battery staple";
const found = { steps: [], signals: [] };
const { browser, open, picture, press } = await start(found, executablePath, folder);

const step = (name) => found.steps.push(name);

// The inbox, in one tab, while something happens in another. Nobody loads the page anew.
const ivan = await open();
await ivan.goto(`${address}/register`);
await ivan.fill("#email", "ivan@example.org");
await ivan.fill("#password", password);
await press(ivan, "form[action='/register'] button");
await ivan.goto(`${address}/account/notifications`);
const before = await ivan.locator("article.message").count();
const other = await ivan.context().newPage();
await other.goto(`${address}/account/profile`);
await other.fill("#username", "ivan");
await press(other, "form[action='/account/username'] button");
await other.close();
await ivan.bringToFront();
await ivan.waitForFunction((count) => document.querySelectorAll("article.message").length > count, before);
const badge = await ivan.textContent("[data-inbox-badge]");
step(`a notification came by itself, and the badge says ${Number(badge) > 0}`);
await picture(ivan, "inbox");
await press(ivan, "form[action='/account/notifications/read-all'] button");
step(`read, and the badge is hidden: ${await ivan.isHidden("[data-inbox-badge]")}`);

// A profile that is left half changed asks first.
await ivan.goto(`${address}/account/profile`);
await ivan.fill("#display_name", "Half changed");
let asked = false;
ivan.once("dialog", (dialog) => ((asked = dialog.type() === "beforeunload"), dialog.accept()));
await ivan.goto(`${address}/account`);
step(`unsaved changes are asked about: ${asked}`);

// Passkeys, where the browser has an authenticator of its own.
const anna = await open();
await anna.exposeFunction("signalled", (name) => found.signals.push(name));
await anna.addInitScript(() => {
  for (const name of ["signalUnknownCredential", "signalAllAcceptedCredentials", "signalCurrentUserDetails"]) {
    const real = PublicKeyCredential[name];
    PublicKeyCredential[name] = async (told) => {
      window.signalled(`${name} ${location.pathname} ${Object.keys(told).sort()}`);
      return real?.call(PublicKeyCredential, told);
    };
  }
});
const devtools = await anna.context().newCDPSession(anna);
await devtools.send("WebAuthn.enable");
const options = { protocol: "ctap2", transport: "internal", hasResidentKey: true, hasUserVerification: true };
const { authenticatorId } = await devtools.send("WebAuthn.addVirtualAuthenticator", {
  options: { ...options, isUserVerified: true, automaticPresenceSimulation: true },
});
const passkeys = async () => (await devtools.send("WebAuthn.getCredentials", { authenticatorId })).credentials;
const present = (enabled) => devtools.send("WebAuthn.setAutomaticPresenceSimulation", { authenticatorId, enabled });
const signOut = () => press(anna, "form[action='/sign-out'] button");
await anna.goto(`${named}/register`);
await anna.fill("#email", "anna@example.org");
await anna.fill("#password", password);
await press(anna, "form[action='/register'] button");
await anna.waitForURL(`${named}/account`);
await present(false);
await signOut();
await anna.waitForFunction(() => document.querySelector("[name='passkeys']").value === "yes");
await picture(anna, "passkeys-1-sign-in");
await anna.fill("#login", "anna@example.org");
await anna.fill("#password", password);
await press(anna, "form[action='/sign-in'] button");
await anna.waitForURL(/passkeys\/offer/);
await picture(anna, "passkeys-2-offer");
await present(true);
await press(anna, "[data-passkey='create'] [data-ask]");
await anna.waitForSelector("#codes");
await picture(anna, "passkeys-3-codes");
step(`offered after the password, and made: ${(await passkeys()).length}`);
await press(anna, "a.button:has-text('kept')");
await present(false);
await signOut();
await anna.waitForSelector("[data-fill-in]:not([hidden])");
await anna.fill("#login", "anna@example.org");
await anna.fill("#password", password);
await press(anna, "form[action='/sign-in'] button");
await anna.waitForURL(/sign-in\/step/);
await picture(anna, "passkeys-4-second-factor");
await present(true);
await press(anna, "[data-passkey='get'] [data-ask]");
await anna.waitForURL(`${named}/account`);
step("the passkey was the second factor");
await press(anna, "form[action='/sign-out'] button");
await anna.waitForURL(`${named}/account`);
step("the login's field filled it in");
await anna.goto(`${named}/account/prove?next=%2Faccount%2Fsecurity`);
await anna.waitForSelector("[data-passkey='get']:not([hidden])");
await picture(anna, "passkeys-5-prove");
await press(anna, "[data-passkey='get'] [data-ask]");
await anna.waitForURL(`${named}/account/security`);
step("and it was the fresher proof");
await picture(anna, "passkeys-6-security");
await press(anna, "form[action$='/remove'] button");
await anna.waitForURL(/told=removed/);
await anna.waitForFunction(() => document.querySelector("[data-signals]"));
step("removed");
await anna.goto(`${named}/account/security/passkeys/add`);
await anna.waitForSelector("[data-passkey='create']:not([hidden])");
await picture(anna, "passkeys-7-add");
for (let left = 50; left > 0 && found.signals.length < 6; left -= 1) await new Promise((next) => setTimeout(next, 100));

console.log(JSON.stringify(found));
await browser.close();
process.exit(0);
