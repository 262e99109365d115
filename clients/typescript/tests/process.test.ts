/** The library as all that a process does: it goes on while the service is away, and says what is wrong before it ends. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";

const EVENT = { id: "e1", type: "user.purged", subject: "u", time: "2026-01-01T00:00:00Z", data: {} };

test("a worker that reads events outlives a service that restarts", { timeout: 30_000 }, async () => {
  let asked = 0;
  const told = await runBeside(
    (request, response) => {
      if (request.url === "/oauth2/token") return void response.end('{"access_token": "own", "expires_in": 600}');
      asked += 1;
      if (asked < 4) return void request.socket.destroy();
      response.end(JSON.stringify({ items: [EVENT], next: "1" }));
    },
    `for await (const event of userd.events()) {
      console.log(event.id);
      break;
    }`,
  );
  assert.deepEqual(told, { code: 0, out: "e1\n" });
});

test("a token that cannot be verified is an error, not the end of the process", { timeout: 30_000 }, async () => {
  const told = await runBeside(
    (_, response) => response.writeHead(401).end('{"error": "invalid_client"}'),
    `await userd.verify("a.b.c").catch((error) => console.log(error.name));
    userd.close();`,
  );
  assert.deepEqual(told, { code: 0, out: "Unavailable\n" });
});

/** Runs these lines, with a `userd`, as a process of their own beside this service. */
async function runBeside(service: RequestListener, lines: string): Promise<{ code: number | null; out: string }> {
  const server = createServer(service).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const options = JSON.stringify({ issuer, clientId: "orders", clientSecret: "secret", timeout: 1 });
  const module = JSON.stringify(new URL("../src/index.js", import.meta.url).href);
  const program = `import { Userd } from ${module};\nconst userd = new Userd(${options});\n${lines}`;
  const worker = spawn(process.execPath, ["--input-type=module", "--eval", program], { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  worker.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  try {
    const code = await new Promise<number | null>((resolve) => worker.once("close", resolve));
    return { code, out };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
