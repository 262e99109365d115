// Every page in a real browser: pages_browser.mjs <address> <administrator's login> <password> <folder for pictures> <chromium>
//
// Visitors, members and administrators follow every link that they are shown, in both languages, light and dark, narrow and
// wide, combined pairwise; once everything is done without JavaScript. What axe finds, what the console complains about,
// requests to elsewhere and pages wider than the window are answered as one line of JSON.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { start } from "./chromium.mjs";

const [address, admin, password, folder, executablePath] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const found = { visited: 0, violations: [], complaints: [], elsewhere: [], wide: [], without_javascript: [] };
const isHere = (url) => url.startsWith(address) || url.startsWith("data:");
const { browser, open: openAs } = await start(found, executablePath, folder, { isHere });

// Every pair of two columns stands in some row.
const rows = [
  ["visitor", "en", "light", 360],
  ["visitor", "ru", "dark", 1440],
  ["member", "en", "dark", 360],
  ["member", "ru", "light", 1440],
  ["admin", "en", "light", 1440],
  ["admin", "ru", "dark", 360],
];

const open = (language, scheme, width, more = {}) =>
  openAs({ locale: language, colorScheme: scheme, viewport: { width, height: 900 }, ...more });

async function signIn(page, login) {
  await page.goto(`${address}/sign-in`);
  await page.fill("#login", login);
  await page.fill("#password", password);
  await page.click("form[action='/sign-in'] button");
  await page.waitForURL(`${address}/account`);
}

async function look(page, where, name) {
  found.visited += 1;
  await page.evaluate(`${axe};undefined`);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, nodes } of violations) {
    found.violations.push(`${where} ${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
  }
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  if (wide > 0) found.wide.push(`${where}: ${wide} px`);
  await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

// Files, ways out, and what asks another site.
const left = /\/export|\/with\/|^\/docs|^\/openapi|^\/v1|^\/assets|^\/sign-in\/bot/;

// One page of each kind: what stands for one account or role stands for all.
const shape = (path) => path.replace(/[0-9a-f-]{36}/g, ":id").replace(/\/(roles|permissions)\/(?!\+|register)[^/]+/, "/$1/:name");

for (const [persona, language, scheme, width] of rows) {
  const page = await open(language, scheme, width);
  const start = persona === "visitor" ? ["/sign-in", "/register", "/forgot", "/setup", "/no/such/page"] : ["/account"];
  if (persona === "member") {
    await page.goto(`${address}/register`);
    await page.fill("#email", `anna-${language}@example.org`);
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
    await look(page, `${persona} ${language} ${scheme} ${width} ${path}`, [persona, language, scheme, width, path.replace(/\W+/g, "_")].join("-"));
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
