// Mini App payloads signed by @tma.js/init-data-node.
//
//   node telegram_payloads.mjs <bot_token>
//
// Reads one JSON array from the standard input, [{"auth_date": <seconds>, "fields": {…}}, …], and prints a JSON array
// of query strings as `Telegram.WebApp.initData` has them. Each is held against the library's own check first.
import { isValid, sign } from "@tma.js/init-data-node";

const [token] = process.argv.slice(2);
const chunks = [];
for await (const chunk of process.stdin) chunks.push(chunk);
const signed = JSON.parse(Buffer.concat(chunks).toString()).map(({ auth_date, fields }) => {
  const text = sign(fields, token, new Date(auth_date * 1000));
  if (!isValid(text, token, { expiresIn: 0 })) throw new Error(`@tma.js does not accept its own ${text}`);
  return text;
});
console.log(JSON.stringify(signed));
