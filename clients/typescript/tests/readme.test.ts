/** Every block of the README runs, in order, as one module, against a real service; its Express page is then called. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const { USERD_URL: url, USERD_TOKEN: token } = process.env;

test("the readme runs and its page is protected", { timeout: 60_000 }, async () => {
  assert.ok(url && token, "run by clients/test, beside a service");
  const readme = await readFile(join(HERE, "../../README.md"), "utf8");
  const blocks = [...readme.matchAll(/```js\n(.*?)```/gs)].map((found) => found[1] ?? "");
  assert.ok(blocks.length >= 6);
  const text = blocks.join("\n").replaceAll("https://users.example", url);
  const folder = await mkdtemp(join(HERE, "readme-"));
  try {
    await writeFile(join(folder, "readme.mjs"), `${text}\nexport { app, fastify, userd };\n`);
    const { app, fastify, userd } = await import(pathToFileURL(join(folder, "readme.mjs")).href);
    const server = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    try {
      await callThePage(`http://127.0.0.1:${(server.address() as AddressInfo).port}/orders`);
    } finally {
      server.close();
      await fastify.close();
      userd.close();
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});

async function callThePage(page: string): Promise<void> {
  const headers = { authorization: `Bearer ${token}`, connection: "close" };
  const status = async (method: string, shown: Record<string, string>) => (await fetch(page, { method, headers: shown })).status;
  assert.equal(await status("GET", { connection: "close" }), 401);
  assert.equal(await status("GET", headers), 200);
  assert.equal(await status("DELETE", headers), 403);
  // From the sign-out on nobody is let in, within a second as a rule.
  assert.equal((await fetch(`${url}/v1/auth/logout`, { method: "POST", headers })).status, 204);
  const end = performance.now() + 10_000;
  while ((await status("GET", headers)) !== 401) {
    assert.ok(performance.now() < end, "still let in after ten seconds");
    await sleep(20);
  }
}
