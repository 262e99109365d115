// Pages as they are held by somebody, one after another: pages_look.mjs <plan> <folder for pictures> <chromium>
//
// The plan is JSON: {address, path, cookies, form}, of which each is opened in one of four ways in turn: both languages, light and
// dark, narrow and wide; with USERD_TEST_PAGES=full in all four. With a form, what is looked at is the answer to it. One line of
// JSON says what was found; `strayed` has pages that led elsewhere.
import { start } from "./chromium.mjs";

const [plan, folder, executablePath] = process.argv.slice(2);
const isFull = process.env.USERD_TEST_PAGES === "full";
const found = { looked: 0, strayed: [] };
const { browser, open, look, press } = await start(found, executablePath, folder);
const rows = [
  ["en", "light", 360],
  ["ru", "dark", 1440],
  ["en", "dark", 1440],
  ["ru", "light", 360],
];

for (const [at, { address, path, cookies, form }] of JSON.parse(plan).entries()) {
  for (const [language, scheme, width] of isFull ? rows : [rows[at % rows.length]]) {
    const page = await open({ locale: language, colorScheme: scheme, viewport: { width, height: 900 } });
    const where = [path, language, scheme, width, form ? "answer" : ""].join(" ");
    await page.goto(`${address}/hold?${new URLSearchParams(cookies.map((cookie) => ["held", cookie]))}`);
    await page.goto(address + path);
    if (new URL(page.url()).pathname !== path.split("?")[0]) found.strayed.push(`${where}: ${page.url()}`);
    if (form) {
      const before = found.complaints.length;
      const selector = form.action ? `form[action='${form.action}']` : "main form";
      // The browser would not send what is wrong in its own eyes.
      await page.$eval(selector, (sent) => (sent.noValidate = true));
      for (const [name, value] of Object.entries(form.fields)) {
        const field = page.locator(`${selector} [name='${name}']`).first();
        await ((await field.getAttribute("type")) === "checkbox" ? field.check() : field.fill(value));
      }
      await press(page, `${selector} button:not([type='button'])`);
      // The browser itself complains about the status of a form that is refused.
      found.complaints = found.complaints.slice(0, before).concat(
        found.complaints.slice(before).filter((text) => !text.includes("the server responded with a status of 4")),
      );
    }
    await look(page, where);
    found.looked += 1;
    await page.context().close();
  }
}

console.log(JSON.stringify(found));
await browser.close();
process.exit(0);
