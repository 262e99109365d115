// What axe finds in a page that runs its scripts, as one line of JSON: docs_axe.mjs <address> <operation to open> …
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { JSDOM, ResourceLoader, VirtualConsole } from "jsdom";

const [address, ...operations] = process.argv.slice(2);
// jsdom has no layout: with styles each rule takes minutes, and those about colours cannot be tried at all.
class WithoutStyles extends ResourceLoader {
  fetch(url, options) {
    return url.endsWith(".css") ? Promise.resolve(Buffer.from("")) : super.fetch(url, options);
  }
}
// Its complaints about what it does not know are no fault of the page.
const dom = await JSDOM.fromURL(address, {
  runScripts: "dangerously",
  resources: new WithoutStyles(),
  pretendToBeVisual: true,
  virtualConsole: new VirtualConsole(),
  beforeParse(window) {
    window.fetch = async (path, options) => {
      const { headers, ...rest } = options ?? {};
      return fetch(new URL(path.url ?? path, address), { ...rest, headers: Object.fromEntries(new Headers(headers)) });
    };
    Object.assign(window, { Headers, Request, Response, TextEncoder, TextDecoder, structuredClone });
  },
});
const { window } = dom;
const until = Date.now() + 180_000;
async function shown(selector) {
  for (;;) {
    const found = window.document.querySelector(selector);
    if (found) return found;
    if (Date.now() > until) throw new Error(`${selector} did not appear: ${window.document.body.innerHTML.slice(0, 2000)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
for (const operation of operations) {
  (await shown(`[id$="-${operation}"] .opblock-summary-control`)).click();
  await shown(`[id$="-${operation}"] .opblock-body`);
}
window.eval(readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"));
const { violations, passes } = await window.axe.run(window.document, {
  resultTypes: ["violations"],
  rules: { "color-contrast": { enabled: false } },
});
const told = violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.map((node) => node.html.slice(0, 200)) }));
console.log(JSON.stringify({ passes: passes.length, violations: told }));
window.close();
process.exit(0);
