// Exports of people, made by better-auth itself: its tables `user` and `account`, as its memory adapter has them. One of
// them has a password of letters that NFKC makes others of.
//
//     node make_exports.mjs FOLDER PASSWORD      writes better_auth.json, better_auth_accounts.json

import { writeFileSync } from "node:fs";
import { betterAuth } from "better-auth";
import { memoryAdapter } from "better-auth/adapters/memory";
import { admin, username } from "better-auth/plugins";

const [folder, password] = process.argv.slice(2);
const database = { user: [], session: [], account: [], verification: [] };
const auth = betterAuth({
    database: memoryAdapter(database),
    baseURL: "http://127.0.0.1",
    secret: "only for a test, only for a test",
    emailAndPassword: { enabled: true },
    plugins: [username(), admin()],
    telemetry: { enabled: false },
});
const ligature = "\u{fb01}ne horse, \u2116 1";

const join = async (name, of, more = {}) => {
    const email = `better_auth_${name}@example.org`;
    const answer = await auth.api.signUpEmail({ body: { email, name: `Ada ${name}`, password: of, ...more } });
    return answer.user.id;
};
const context = await auth.$context;
const plain = await join("plain", password, { username: "better_auth_plain" });
await join("ligature", ligature);
const banned = await join("banned", password);
const forgiven = await join("forgiven", password);
await context.internalAdapter.updateUser(plain, { emailVerified: true });
await context.internalAdapter.updateUser(banned, { banned: true });
await context.internalAdapter.updateUser(forgiven, { banned: true, banExpires: new Date(Date.now() - 1000) });
for (const [providerId, accountId] of [["google", "108"], ["yandex", "208"], ["telegram", "308"], ["vk", "408"]]) {
    await context.internalAdapter.linkAccount({ userId: plain, providerId, accountId });
}

const by = (key) => (a, b) => (a[key] < b[key] ? -1 : a[key] > b[key] ? 1 : 0);
const write = (name, rows) => writeFileSync(`${folder}/${name}.json`, JSON.stringify(rows, null, 1));
write("better_auth", database.user.toSorted(by("id")));
write("better_auth_accounts", database.account.toSorted(by("userId")));
write("better_auth_unordered", database.account.toSorted(by("userId")).reverse());
console.log(JSON.stringify({ people: { plain: password, ligature, forgiven: password } }));
