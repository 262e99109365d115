// What people live through in a real browser: pages_people.mjs <setup link> <folder for pictures> <chromium>, whose service has
// the provider `corp` and lets everybody register.
//
// A newcomer becomes the administrator by the setup link, invites a person and gives them a role. Somebody comes in through a
// provider, changes their profile, asks for a role; the administrator approves; the notification comes by itself, the role is
// there, the audit log has it. One line of JSON says what was seen.
import { start } from "./chromium.mjs";

const [setupLink, folder, executablePath] = process.argv.slice(2);
const address = new URL(setupLink).origin;
const password = "correct horse battery staple";
const found = { steps: [], newcomer_ms: 0, newcomer_clicks: 0 };
// The provider's pages are not ours: it has no icon, for one.
const isOurs = (url) => url.startsWith(address);
const { browser, open, picture, press } = await start(found, executablePath, folder, { isOurs });

const step = (name) => found.steps.push(name);

// The newcomer's path.
const boss = await open();
const begun = Date.now();
const click = (page, button) => (found.newcomer_clicks++, press(page, button));
await boss.goto(setupLink);
await boss.fill("#username", "root");
await boss.fill("#password", password);
await picture(boss, "newcomer-1-setup");
await click(boss, "form[action='/setup'] button");
await boss.waitForURL(`${address}/admin/overview?done=setup`);
await picture(boss, "newcomer-2-administrator");
await click(boss, "main a[href='/admin/invitations/make']");
await click(boss, "form[action='/admin/invitations/make'] button");
const invitation = await boss.textContent("main code");
await picture(boss, "newcomer-3-invitation");
const guest = await open();
await guest.goto(invitation);
await guest.fill("#email", "guest@example.org");
await guest.fill("#display_name", "Vera");
await guest.fill("#password", password);
await click(guest, "form[action='/register'] button");
await guest.waitForURL(`${address}/account`);
await click(boss, "a[href='/admin/users']");
await click(boss, "main a:has-text('Vera')");
await click(boss, "a[href$='/grants/give']");
await boss.fill("#name", "editor");
await picture(boss, "newcomer-4-grant");
await click(boss, "form[action$='/grants/give'] button");
await guest.reload();
await guest.waitForSelector(".badge:has-text('editor')");
await picture(guest, "newcomer-5-the-person-has-it");
found.newcomer_ms = Date.now() - begun;
step("a newcomer became administrator, invited a person and gave them a role");
await guest.context().close();

// The story: in through a provider.
const ivan = await open();
await ivan.goto(`${address}/sign-in`);
await press(ivan, "a[href^='/sign-in/with/corp']");
await press(ivan, "button[name='person'][value='ivan']");
await ivan.waitForURL(`${address}/account`);
step("signed up through a provider");
await press(ivan, "a[href='/account/profile']");
await ivan.fill("#display_name", "Ivan the Reader");
await press(ivan, "form[action='/account/profile'] button");
await ivan.waitForSelector(".done");
step("changed the profile");
await press(ivan, "a[href='/account/access']");
await ivan.selectOption("#what", "role/reader");
await ivan.fill("#reason", "I read the news");
await press(ivan, "form[action='/account/access'] button");
step("asked for a role");
await press(ivan, "a[href='/account/notifications']");
const before = await ivan.locator("article.message").count();

await boss.goto(`${address}/admin/requests`);
await press(boss, "main a[href^='/admin/requests/']:has-text('reader')");
await boss.fill("#comment", "Welcome");
await press(boss, "button[value='approve']");
step("the administrator approved");

// Nobody loads the page anew: the stream brings what came.
await ivan.waitForFunction((count) => document.querySelectorAll("article.message").length > count, before);
const badge = await ivan.textContent("[data-inbox-badge]");
step(`the notification came by itself, and the badge says ${Number(badge) > 0}`);
await picture(ivan, "story-notification");
await press(ivan, "form[action='/account/notifications/read-all'] button");
step(`read, and the badge is hidden: ${await ivan.isHidden("[data-inbox-badge]")}`);
await ivan.goto(`${address}/account`);
await ivan.waitForSelector(".badge:has-text('reader')");
step("the role is visible");
await boss.goto(`${address}/admin/audit`);
await boss.waitForSelector("td code:has-text('access_request')");
step("the audit log has it");

console.log(JSON.stringify(found));
await browser.close();
process.exit(0);
