// Every page in a real browser: pages_browser.mjs <address> <administrator's login> <password> <folder for pictures> <chromium>
// [full]
//
// Visitors, members and administrators follow every link that they are shown, in both languages, light and dark, narrow and
// wide, combined pairwise, or all of them with each other (`full`); once everything is done without JavaScript. What axe finds,
// what the console complains about, requests to elsewhere and pages wider than the window are answered as one line of JSON.
import { start } from "./chromium.mjs";

const [given, admin, password, folder, executablePath, product] = process.argv.slice(2);
// Passkeys belong to a domain, and an address has none: under its name the pages show their forms for passkeys too.
const address = given.replace("127.0.0.1", "localhost");
const found = { visited: 0, passkey_forms: 0, without_javascript: [] };
const isHere = (url) => url.startsWith(address) || url.startsWith("data:");
const { browser, open: openAs, picture } = await start(found, executablePath, folder, { isHere });

const every = ["visitor", "member", "admin"].flatMap((persona) =>
  ["en", "ru"].flatMap((language) =>
    ["light", "dark"].flatMap((scheme) => [360, 1440].map((width) => [persona, language, scheme, width]))));
// Every pair of two columns stands in some row.
const pairwise = [
  ["visitor", "en", "light", 360],
  ["visitor", "ru", "dark", 1440],
  ["member", "en", "dark", 360],
  ["member", "ru", "light", 1440],
  ["admin", "en", "light", 1440],
  ["admin", "ru", "dark", 360],
];
const rows = product === "full" ? every : pairwise;

const open = (language, scheme, width, more = {}) =>
  openAs({ locale: language, colorScheme: scheme, viewport: { width, height: 900 }, ...more });

async function signIn(page, login) {
  await page.goto(`${address}/sign-in`);
  await page.fill("#login", login);
  await page.fill("#password", password);
  await page.click("form[action='/sign-in'] button");
  await page.waitForURL(`${address}/account`);
}

// Files, ways out, and what asks another site.
const left = /\/export|\/with\/|^\/docs|^\/openapi|^\/v1|^\/assets|^\/sign-in\/bot/;

// One page of each kind: what stands for one account or role stands for all.
const shape = (path) => path.replace(/[0-9a-f-]{36}/g, ":id").replace(/\/(roles|permissions)\/(?!\+|register)[^/]+/, "/$1/:name");

for (const [persona, language, scheme, width] of rows) {
  const page = await open(language, scheme, width);
  const start = persona === "visitor" ? ["/sign-in", "/register", "/forgot", "/setup", "/no/such/page"] : ["/account"];
  // Applications lead here; pages do not.
  if (persona === "member") start.push("/account/security/password", "/account/username", "/account/data/delete");
  if (persona === "member") {
    await page.goto(`${address}/register`);
    await page.fill("#email", `anna-${language}-${scheme}-${width}@example.org`);
    await page.fill("#display_name", "Anna Константинопольская <b>");
    await page.fill("#password", password);
    await page.click("form[action='/register'] button");
    await page.waitForURL(`${address}/account`);
  }
  if (persona === "admin") await signIn(page, admin);
  const known = new Set(start);
  const shapes = new Set(start);
  for (const path of known) {
    const missing = path === "/no/such/page";
    const before = found.complaints.length;
    await page.goto(address + path);
    // The browser itself complains about the status of that one.
    if (missing) found.complaints.length = before;
    found.visited += 1;
    found.passkey_forms += await page.locator("[data-passkey]:visible").count();
    await picture(page, [persona, language, scheme, width, path.replace(/\W+/g, "_")].join("-"), { fullPage: true });
    const links = await page.evaluate(() => [...document.querySelectorAll("a[href]")].map((link) => link.getAttribute("href")));
    for (const link of links) {
      const path = link.split("#")[0];
      if (path.startsWith("/") && !left.test(path) && known.size < 80 && !shapes.has(shape(path))) {
        shapes.add(shape(path));
        known.add(path);
      }
    }
  }
  await page.context().close();
}

// The same without JavaScript: an account, a profile, what reaches somebody, and out.
const page = await open("en", "light", 1440, { javaScriptEnabled: false });
// A click does not wait for the page that it leads to.
const press = (button) => Promise.all([page.waitForNavigation(), page.click(button)]);
const step = (name) => found.without_javascript.push(`${name}: ${page.url().slice(address.length)}`);
await page.goto(`${address}/register`);
await page.fill("#email", "plain@example.org");
await page.fill("#password", password);
await press("form[action='/register'] button");
step("registered");
await page.goto(`${address}/account/profile`);
await page.fill("#display_name", "Plain");
await press("form[action='/account/profile'] button");
step("saved");
await page.goto(`${address}/account/preferences`);
await press("form[action='/account/preferences'] button");
step("chose");
await press("form[action='/sign-out'] button");
step("left");
await page.goBack();
step("back button");
await signIn(page, "plain@example.org");
step("came back");

console.log(JSON.stringify(found));
await browser.close();
process.exit(0);
