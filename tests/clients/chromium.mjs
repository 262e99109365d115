// Chromium as the tests of pages use it. Whatever it complains about, and whatever it asks of another host, is noted in
// `found.complaints` and `found.elsewhere`.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";

const isOfThisMachine = (url) => ["127.0.0.1", "localhost", ""].includes(new URL(url).hostname);

// `isOurs` says of which pages complaints count, `isHere` which addresses may be asked for.
export async function start(found, executablePath, folder, { isOurs = () => true, isHere = isOfThisMachine } = {}) {
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

  return {
    browser,
    open,
    picture: (page, name) => page.screenshot({ path: `${folder}/${name}.png` }),
    // A click does not wait for the page that it leads to.
    press: (page, button) => Promise.all([page.waitForNavigation(), page.click(button)]),
  };
}
