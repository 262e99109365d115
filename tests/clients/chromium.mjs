// Chromium as the tests of pages use it. Whatever it complains about, whatever it asks of another host, what axe finds and pages
// wider than the window are noted in `found.complaints`, `found.elsewhere`, `found.violations` and `found.wide`.
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const isOfThisMachine = (url) => ["127.0.0.1", "localhost", ""].includes(new URL(url).hostname);

// `isOurs` says of which pages complaints count, `isHere` which addresses may be asked for.
export async function start(found, executablePath, folder, { isOurs = () => true, isHere = isOfThisMachine } = {}) {
  Object.assign(found, { violations: [], wide: [], complaints: [], elsewhere: [], ...found });
  mkdirSync(folder, { recursive: true });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  const complain = (page, text) => isOurs(page.url()) && found.complaints.push(`${page.url()}: ${text}`);

  async function open(options = {}) {
    const context = await browser.newContext({ locale: "en", viewport: { width: 1100, height: 760 }, ...options });
    const page = await context.newPage();
    page.setDefaultTimeout(60_000);
    page.on("console", (line) => line.type() === "error" && complain(page, line.text()));
    page.on("pageerror", (error) => complain(page, error.message));
    page.on("request", (request) => isHere(request.url()) || found.elsewhere.push(request.url()));
    return page;
  }

  // What readers for the blind and narrow windows meet on a page as it stands.
  async function look(page, where) {
    await page.evaluate(`${axe};undefined`);
    const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
    for (const { id, nodes } of violations) {
      found.violations.push(`${where} ${id}: ${nodes.map((node) => node.html.slice(0, 160)).join(" | ")}`);
    }
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) found.wide.push(`${where}: ${wide} px`);
  }

  const picture = (page, name, options = {}) => page.screenshot({ path: `${folder}/${name}.png`, ...options });
  return {
    browser,
    open,
    look,
    picture: async (page, name, options) => (await picture(page, name, options), look(page, name)),
    // A click does not wait for the page that it leads to.
    press: (page, button) => Promise.all([page.waitForNavigation(), page.click(button)]),
  };
}
