// Passkeys. A form carries what the browser answers like any other field; this only asks the browser. Without it, and where
// a browser has no passkeys, the other ways in stay.

const able = Boolean(window.PublicKeyCredential?.parseRequestOptionsFromJSON);
const isOurs = (domain) => location.hostname === domain || location.hostname.endsWith(`.${domain}`);
let waiting; // What the list of the login's field waits for.

async function ask(form) {
  const body = new URLSearchParams(new FormData(form));
  const answer = await fetch(form.dataset.question, { method: "POST", headers: { accept: "application/json" }, body });
  const question = answer.ok && !answer.redirected ? await answer.json() : undefined;
  if (!answer.ok) throw new Error(`the question was refused: ${answer.status}`);
  if (!question || question.go) {
    // Signed out meanwhile, or a fresher proof is asked for first.
    location.assign(question ? question.go : answer.url);
    return new Promise(() => {});
  }
  return question;
}

async function answer(form, { challenge, options }, more) {
  const credential =
    form.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options), ...more })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options), ...more });
  form.elements.challenge.value = challenge;
  form.elements.credential.value = JSON.stringify(credential);
  sessionStorage.shownPasskey = JSON.stringify({ rpId: form.dataset.domain, credentialId: credential.id });
  form.requestSubmit();
}

async function press(form) {
  const failed = form.querySelector("[data-failed]");
  failed.hidden = true;
  waiting?.abort();
  try {
    await answer(form, await ask(form));
  } catch (error) {
    failed.textContent = error.name === "InvalidStateError" ? failed.dataset.known : failed.dataset.failed;
    failed.hidden = false;
  }
}

// Passkeys stand in the list of the login's field; what they answer is asked anew before it is out of date.
async function fillIn(form) {
  if (!(await PublicKeyCredential.isConditionalMediationAvailable?.())) return;
  waiting = new AbortController();
  const { signal } = waiting;
  try {
    const question = await ask(form);
    const renewal = setTimeout(() => (waiting.abort(), fillIn(form)), question.expires_in * 900);
    signal.addEventListener("abort", () => clearTimeout(renewal));
    await answer(form, question, { mediation: "conditional", signal });
  } catch {
    // Nobody chose one. The button asks again.
  }
}

for (const form of document.querySelectorAll("[data-passkey]")) {
  const usable = able && isOurs(form.dataset.domain);
  form.hidden = !usable;
  for (const note of document.querySelectorAll("[data-without-passkeys]")) note.hidden = usable;
  if (!usable) continue;
  form.querySelector("[data-ask]").addEventListener("click", () => press(form));
  if (form.dataset.fillIn !== undefined) fillIn(form);
}

// A sign-in says whether this device could make a passkey: then one is offered afterwards.
for (const field of able ? document.querySelectorAll("[data-can-make-passkeys]") : []) {
  if (!isOurs(field.dataset.canMakePasskeys)) continue;
  PublicKeyCredential.isUserVerifyingPlatformAuthenticatorAvailable().then((can) => (field.value = can ? "yes" : ""));
}

// Whoever keeps passkeys learns which are good here, and what the account is called (WebAuthn, signal methods).
async function signal(place) {
  const answer = await fetch(place, { headers: { accept: "application/json" } });
  if (!answer.ok || answer.redirected) return;
  const { accepted, name, displayName } = await answer.json();
  if (!isOurs(accepted.rpId)) return;
  await PublicKeyCredential.signalAllAcceptedCredentials?.(accepted);
  const { rpId, userId } = accepted;
  await PublicKeyCredential.signalCurrentUserDetails?.({ rpId, userId, name, displayName });
}

if (able) {
  const shown = sessionStorage.shownPasskey;
  delete sessionStorage.shownPasskey;
  if (shown && document.querySelector("[data-passkey-unknown]")) {
    PublicKeyCredential.signalUnknownCredential?.(JSON.parse(shown)).catch(() => {});
  }
  const account = document.querySelector("[data-signals]");
  if (account) {
    delete sessionStorage.signsIn;
    signal(account.dataset.signals).catch(() => {});
  } else if (document.querySelector("[data-fill-in]")) {
    sessionStorage.signsIn = "yes";
  }
}
