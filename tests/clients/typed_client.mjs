// A typed client of the API document, made by openapi-typescript and compiled: typed_client.mjs <document> <folder>.
// Answers with what either complains about, as one line of JSON.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

const [document, folder] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const program = (name, path) => join(dirname(require.resolve(`${name}/package.json`)), path);

const types = join(folder, "api.d.ts");
const made = spawnSync(process.execPath, [program("openapi-typescript", "bin/cli.js"), document, "-o", types], { encoding: "utf8" });
// What a program would write against it: it compiles only if the types are as narrow as the contract.
writeFileSync(join(folder, "use.ts"), `
import type { components, operations } from "./api";
type Schemas = components["schemas"];
export const mail = (user: Schemas["User"]): string | null => user.email;
export const status = (user: Schemas["User"]): "active" | "blocked" | "deleted" => user.status;
export const device = (pair: Schemas["TokenPair"]): string | undefined => pair.device_token;
export const audience = (said: Schemas["Introspection"]): string | undefined => (said.active ? said.aud : undefined);
export const keys = (set: Schemas["KeySet"]): string[] => set.keys.map((key) => key.kid);
export const next = (page: Schemas["UserPage"]): string | null => page.next_cursor;
export const why = (problem: Schemas["Problem"]): "browser_mismatch" | null =>
  problem.reason === "browser_mismatch" ? problem.reason : null;
type Answer = operations["oauth2_introspect"]["responses"][200]["content"]["application/json"];
export const active = (answer: Answer): boolean => answer.active;
export const login: operations["sign_in_login"]["requestBody"]["content"]["application/json"] =
  { login: "anna", password: "…" };
`);
const compiled = spawnSync(
  process.execPath,
  [program("typescript-7", "bin/tsc"), "--noEmit", "--strict", "--noUnusedLocals", "--target", "es2022", join(folder, "use.ts")],
  { encoding: "utf8" },
);
const complaints = [made.stderr, compiled.stdout, compiled.stderr].map((text) => text.trim()).filter(Boolean);
if (made.status || compiled.status) complaints.push(`ended with ${made.status} and ${compiled.status}`);
console.log(JSON.stringify({ complaints }));
