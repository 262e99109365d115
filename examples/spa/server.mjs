// The backend of the application: it serves the pages, and orders to whoever is signed in.
import { fileURLToPath } from "node:url";

import express from "express";
import { Userd } from "userd";
import { authenticate, permission } from "userd/express";

const { USERD = "http://127.0.0.1:8080", USERD_CLIENT_ID: clientId, USERD_CLIENT_SECRET: clientSecret } = process.env;
const { PORT = "3000" } = process.env;

const userd = new Userd({ issuer: USERD, clientId, clientSecret });
const app = express();
const orders = new Map();

app.use((request, response, next) => {
  // Scripts of this host alone, which may ask this host and userd.
  response.set("content-security-policy", `default-src 'self'; connect-src 'self' ${USERD}; frame-ancestors 'none'`);
  next();
});
app.use(express.static(fileURLToPath(new URL("public", import.meta.url))));
app.get("/settings.json", (request, response) => response.json({ userd: USERD }));

const api = express.Router();
api.use(authenticate(userd), express.json());
api.get("/orders", (request, response) => response.json(orders.get(request.token.subject) ?? []));
api.post("/orders", (request, response) => {
  const list = [...(orders.get(request.token.subject) ?? []), String(request.body.what)];
  orders.set(request.token.subject, list);
  response.status(201).json(list);
});
api.delete("/orders/:owner", permission("orders.delete"), (request, response) => {
  response.sendStatus(orders.delete(request.params.owner) ? 204 : 404);
});
app.use("/api", api);

app.listen(Number(PORT), "127.0.0.1", () => console.log(`http://127.0.0.1:${PORT}/`));
