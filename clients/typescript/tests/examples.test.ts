/** The single-page application of `examples/spa`, with its backend, in Chromium beside a real service. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { chromium, type Page } from "playwright-core";

const HERE = dirname(fileURLToPath(import.meta.url));
const SPA = join(HERE, "../../../../examples/spa");
const { USERD_URL: url, USERD_CLIENT_ID, USERD_CLIENT_SECRET, EXAMPLE_PORT: port } = process.env;
const { USERD_TEST_CHROMIUM: executablePath = "/usr/bin/chromium" } = process.env;
const PERSON = { login: "spa@example.org", password: "a long sentence for tests 8" };

test("somebody signs in at userd's page, orders in the application, and signs out", { timeout: 120_000 }, async () => {
  assert.ok(url && port, "run by clients/test, beside a service");
  assert.ok(existsSync(executablePath), `missing: Chromium (Debian: chromium), or its path in USERD_TEST_CHROMIUM`);
  // What the page says is what the service beside this test was started with.
  const page = await readFile(join(SPA, "README.md"), "utf8");
  assert.ok(page.includes("sign_in.return_to.0=http://127.0.0.1:3000/ --set http.cors_origins.0=http://127.0.0.1:3000"));
  const folder = await mkdtemp(join(HERE, "spa-"));
  await cp(join(SPA, "server.mjs"), join(folder, "server.mjs"));
  await cp(join(SPA, "public"), join(folder, "public"), { recursive: true });
  const env = { ...process.env, USERD: url, USERD_CLIENT_ID, USERD_CLIENT_SECRET, PORT: port };
  const server = spawn(process.execPath, ["server.mjs"], { cwd: folder, env, stdio: ["ignore", "pipe", "inherit"] });
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
  try {
    await once(server.stdout, "data");
    await register();
    await story(await browser.newPage({ locale: "en" }), `http://127.0.0.1:${port}/`);
  } finally {
    await browser.close();
    server.kill();
    await rm(folder, { recursive: true });
  }
});

async function register(): Promise<void> {
  const body = JSON.stringify({ email: PERSON.login, password: PERSON.password });
  const headers = { "content-type": "application/json" };
  assert.equal((await fetch(`${url}/v1/auth/register`, { method: "POST", headers, body })).status, 201);
}

async function story(page: Page, app: string): Promise<void> {
  const complaints: string[] = [];
  let shown = "";
  page.on("request", (request) => void (shown = request.headers()["authorization"] ?? shown));
  page.on("pageerror", (error) => complaints.push(error.message));
  assert.equal((await fetch(`${app}api/orders`)).status, 401);

  await page.goto(app);
  await page.click("#sign-in");
  await page.waitForURL(`${url}/sign-in?**`);
  await page.fill("[name=login]", PERSON.login);
  await page.fill("[name=password]", PERSON.password);
  await page.press("[name=password]", "Enter");
  await page.getByText(`Signed in as ${PERSON.login}`).waitFor();
  // The code is gone from the address, and nothing was kept where another script could find it.
  assert.equal(page.url(), app);
  assert.equal(await page.evaluate("sessionStorage.length + localStorage.length"), 0);

  await page.fill("[name=what]", "tea");
  await page.click("#orders button:not([type])");
  await page.locator("#list li", { hasText: "tea" }).waitFor();

  // After a reload userd still knows the browser: no page on the way.
  await page.reload();
  await page.click("#sign-in");
  await page.locator("#list li", { hasText: "tea" }).waitFor();

  await page.click("#sign-out");
  await page.getByText("Signed out").waitFor();
  // The backend hears of it, within a second as a rule.
  const end = performance.now() + 10_000;
  while ((await fetch(`${app}api/orders`, { headers: { authorization: shown } })).status !== 401) {
    assert.ok(performance.now() < end, "still let in after ten seconds");
    await sleep(20);
  }

  // A code that was not asked for here signs nobody in.
  await page.goto(`${app}?code=somebody-elses&state=x`);
  await page.getByText("this sign-in was not begun here").waitFor();
  assert.deepEqual(complaints, []);
}
