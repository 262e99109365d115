//! Accounts elsewhere: what they are called, a link that fails, and moving one here from another account.

use http::StatusCode;
use userd_model::{GrantKind, UserStatus};
use userd_services::{
    sign_in::Finished,
    testing::{TestOptions, TestProvider},
    user_list::UserFilter,
};

use crate::{
    admin::give,
    browser::{Browser, PASSWORD, Place, unescaped},
    flows::later,
    forms::{address, link_acme},
};

const SESSION: &str = "__Host-userd_session";
const HERE: &str = "/account/linked";
const LINK: &str = "/account/linked/with/acme";
const MOVE: &str = "/account/linked/move";
const TAKEN: &str = "/account/linked?told=failed&why=identity_taken&provider=acme";

/// A place whose one provider is called otherwise than its id.
async fn place() -> Place {
    let providers = vec![TestProvider::called("acme", "Works & Co")];
    Place::with(TestOptions { providers, ..TestOptions::default() }).await
}

/// The provider's pages, where somebody with the usual account there says yes: back with an address of ours.
async fn says_yes(place: &Place, browser: &Browser<'_>, url: &str) -> String {
    says_yes_as(place, browser, url, "sub-1").await
}

async fn says_yes_as(place: &Place, browser: &Browser<'_>, url: &str, subject: &str) -> String {
    let url = url::Url::parse(url).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let params = [("code", subject.to_owned()), ("state", state)].map(|(name, value)| (name.to_owned(), value)).into();
    let services = place.services();
    match services.sign_in.finish(&services.context(), "acme", &params, browser.cookies.values()).await {
        Finished::Code { code, .. } => format!("/signed-in?code={code}"),
        Finished::Linked { .. } => "/signed-in?linked=acme".to_owned(),
        Finished::Refused { failure, .. } => {
            format!("/signed-in?error={}", userd_web::Problem::from(failure).words().slug)
        }
    }
}

/// Somebody who has only ever come by the provider.
async fn came_by_acme(place: &Place) -> Browser<'_> {
    let mut browser = place.browser();
    let there = browser.get("/sign-in/with/acme").await;
    let back = says_yes(place, &browser, there.header("location")).await;
    assert_eq!(browser.get(&back).await.header("location"), "/account");
    browser
}

/// Where the page that answers a form leads on to.
fn way_on(page: &str) -> String {
    let url = page.split('"').find(|part| part.starts_with("https://acme.example/")).expect("the way there");
    unescaped(url)
}

/// Tries to link it in a browser of somebody else; answers where that ends.
async fn tries_to_link(place: &Place, browser: &mut Browser<'_>) -> String {
    let begun = browser.submit_from(HERE, LINK, &[]).await;
    let back = says_yes(place, browser, &way_on(&begun.text())).await;
    browser.get(&back).await.header("location").to_owned()
}

/// Begins to move it, and comes back with its code; answers where that ends.
async fn moves(place: &Place, browser: &mut Browser<'_>, fields: &[(&str, &str)]) -> String {
    let begun = browser.submit_from(TAKEN, MOVE, fields).await;
    let page = begun.text();
    assert_eq!(begun.status, StatusCode::OK, "{page}");
    let back = says_yes(place, browser, &way_on(&page)).await;
    browser.get(&back).await.header("location").to_owned()
}

#[tokio::test]
async fn a_provider_is_called_by_its_name_wherever_it_is_shown() {
    let place = place().await;
    let (ada, boss) = (place.member("ada").await, place.member("boss").await);
    give(&place, &boss, GrantKind::Role, "admin").await;
    // What comes with a registration is no news.
    later(&place).await;
    let mut browser = place.browser_of("ada").await;
    link_acme(&place, &mut browser).await;
    while place.services().event_log.tick().await.unwrap() > 0 {}
    while place.services().deliveries.tick().await.unwrap() > 0 {}
    let of_ada = format!("/admin/users/{}", ada.id);
    let mut of_boss = place.browser_of("boss").await;
    let detail = of_boss.get(&of_ada).await.text();
    let unlink = address(&detail, &format!("{of_ada}/identities/"), "/unlink");
    for (path, page) in [
        (HERE, browser.get(HERE).await.text()),
        ("/account/notifications", browser.get("/account/notifications").await.text()),
        ("/sign-in", place.browser().get("/sign-in").await.text()),
        ("the account", detail),
        ("unlinking it", of_boss.get(&unlink).await.text()),
        ("/admin/users", of_boss.get("/admin/users").await.text()),
    ] {
        assert!(page.contains("Works &amp; Co"), "{path}: {page}");
        assert!(!page.contains(">acme<") && !page.contains("acme ·"), "{path}: {page}");
    }
}

#[tokio::test]
async fn whoever_tried_to_link_in_vain_is_told_why_in_their_language() {
    let place = place().await;
    place.member("ada").await;
    came_by_acme(&place).await;
    let mut browser = place.browser_of("ada").await;
    assert_eq!(tries_to_link(&place, &mut browser).await, TAKEN);
    let page = browser.get(TAKEN).await.text();
    for shown in ["role=\"alert\"", "another account here", "Works &amp; Co", "action=\"/account/linked/move\""] {
        assert!(page.contains(shown), "{shown}: {page}");
    }
    browser.cookies.insert("__Host-userd_language".to_owned(), "ru".to_owned());
    assert!(browser.get(TAKEN).await.text().contains("Перенести сюда"));
    browser.cookies.insert("__Host-userd_language".to_owned(), "en".to_owned());
    for (error, said) in [
        ("access_denied", "it was not allowed there"),
        ("state_expired", "It was not linked. The sign-in took too long."),
        ("provider_mismatch", "It was not linked. This sign-in was begun with another provider."),
        ("%3Cscript%3Ealert(1)", "Try again, or choose another account."),
        ("", "Try again, or choose another account."),
    ] {
        browser.submit_from(HERE, LINK, &[]).await;
        let back = browser.get(&format!("/signed-in?error={error}")).await;
        let page = browser.get(back.header("location")).await.text();
        assert!(page.contains(said) && page.contains("role=\"alert\""), "{error}: {page}");
        assert!(!page.contains("<script>alert") && !page.contains(MOVE), "{error}: {page}");
    }
    let unknown = browser.get(&TAKEN.replace("=acme", "=none")).await.text();
    assert!(unknown.contains("another account here") && !unknown.contains(MOVE), "{unknown}");
}

/// The last way in is not unlinked: the page says why, and shows what is still there.
#[tokio::test]
async fn the_last_way_in_stays_linked_and_its_page_says_why() {
    let place = place().await;
    let mut browser = came_by_acme(&place).await;
    let remove = address(&browser.get("/account/linked").await.text(), "/account/linked/", "/remove");
    let refused = browser.submit_from("/account/linked", &remove, &[]).await;
    let there = refused.header("location").to_owned();
    assert!(there.starts_with("/account/linked?told=still-linked&why=last_way_in"), "{there}");
    let page = browser.get(&there).await.text();
    assert!(
        page.contains("It is still linked.") && page.contains("role=\"alert\"") && page.contains(&remove),
        "{page}"
    );
}

/// One person's two accounts: what cannot be linked is moved, and the other account goes if that is asked for.
#[tokio::test]
async fn what_opens_another_account_is_moved_here_from_the_page() {
    let place = place().await;
    place.member("ada").await;
    let mut other = came_by_acme(&place).await;
    let services = place.services();
    let seen = services.authenticate_browser(services.context(), &other.cookies[SESSION]).await.unwrap();
    let (other_id, _) = seen.ctx.user().unwrap();
    let mut browser = place.browser_of("ada").await;
    tries_to_link(&place, &mut browser).await;

    let kept = moves(&place, &mut browser, &[]).await;
    assert_eq!(kept, "/account/linked?told=unmoved&why=last_way_in&provider=acme");
    let page = browser.get(&kept).await.text();
    assert!(page.contains("the last way to sign in to the other account") && page.contains(MOVE), "{page}");
    assert!(page.contains("None yet.") && other.get("/account").await.status == 200, "nothing has moved: {page}");

    let moved = moves(&place, &mut browser, &[("delete_emptied", "yes")]).await;
    assert_eq!(moved, "/account/linked?told=moved");
    let page = browser.get(&moved).await.text();
    assert!(page.contains("It opens this account from now on") && page.contains("/remove\""), "{page}");
    assert!(!browser.cookies.contains_key("__Host-userd_way"), "nothing is left of the way");
    assert_eq!(other.get("/account").await.status, 303);
    let left = services.users.show(&services.operator_context(), other_id).await.unwrap();
    assert_eq!(left.status, UserStatus::Deleted);
}

/// AC-045: a hostile site leads somebody who is signed in here to the beginning of a link, and their browser is signed in at
/// the provider as the attacker.
/// Sends: /account/linked/with/{provider}
#[tokio::test]
async fn a_hostile_site_begins_no_link() {
    let place = place().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    let from_afar =
        [("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate"), ("referer", "https://evil.example/")];
    let led = browser.send("GET", LINK, &from_afar, "").await;
    assert!(led.status.is_client_error() && led.header("location").is_empty(), "{}", led.text());
    assert!(led.header("set-cookie").is_empty(), "nothing has begun");
    assert_eq!(browser.post(LINK, "").await.status, 403, "a form that this browser was not given");
    assert!(browser.get(HERE).await.text().contains("None yet."));
    // By its own form the person begins it, and sees where it leads.
    let begun = browser.submit_from(HERE, LINK, &[]).await;
    assert!(begun.status == StatusCode::OK && begun.text().contains("Works &amp; Co"), "{}", begun.text());
    let back = says_yes(&place, &browser, &way_on(&begun.text())).await;
    assert_eq!(browser.get(&back).await.header("location"), "/account/linked?told=linked");
    assert_eq!(browser.submit_from(HERE, LINK, &[]).await.status, 200);
}

/// Whoever has to prove who they are is told that the form was not sent.
#[tokio::test]
async fn a_link_asks_for_a_fresh_proof_first() {
    let place = place().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    place.app.clock.advance(std::time::Duration::from_secs(3600));
    let asked = browser.submit_from(HERE, LINK, &[]).await;
    assert_eq!(asked.header("location"), "/account/prove?told=unsent&next=%2Faccount%2Flinked", "{}", asked.text());
}

/// Whoever chooses there what opens no account here has it linked: no second account comes of it, which they would have to be
/// rid of again.
#[tokio::test]
async fn what_opens_no_account_is_linked_where_it_was_to_be_moved() {
    let place = place().await;
    place.member("ada").await;
    let mut browser = place.browser_of("ada").await;
    for again in [false, true] {
        assert_eq!(moves(&place, &mut browser, &[]).await, "/account/linked?told=linked", "once more: {again}");
        assert!(!browser.cookies.contains_key("__Host-userd_way"), "nothing is left of the way");
    }
    let page = browser.get(HERE).await.text();
    assert_eq!(page.matches("/remove\"").count(), 1, "{page}");
    let page = came_by_acme(&place).await.get("/account").await.text();
    assert!(page.contains("Hello, ada"), "it opens this account: {page}");
}

/// AC-083: neither a link that somebody is led by nor a code of another browser's moves anything.
#[tokio::test]
async fn nothing_is_moved_but_by_whoever_began_it() {
    let place = place().await;
    place.member("ada").await;
    came_by_acme(&place).await;
    let mut browser = place.browser_of("ada").await;
    let led = browser.get(&format!("{MOVE}?provider=acme&delete_emptied=yes")).await;
    assert!(led.status.is_client_error() && led.header("set-cookie").is_empty(), "{}", led.text());
    let forged = browser.post(MOVE, "provider=acme&delete_emptied=yes").await;
    assert_eq!(forged.status, 403, "a form that this browser was not given");
    assert_eq!(browser.submit_from(TAKEN, MOVE, &[("provider", "none")]).await.status, 404);

    let mut mallory = place.browser();
    let there = mallory.get("/sign-in/with/acme").await;
    let planted = says_yes(&place, &mallory, there.header("location")).await;
    browser.submit_from(TAKEN, MOVE, &[]).await;
    let back = browser.get(&planted).await;
    assert_eq!(back.header("location"), "/account/linked?told=unmoved&why=invalid_code&provider=acme");
    let page = browser.get(back.header("location")).await.text();
    assert!(page.contains("It was not moved. Begin once more") && !page.contains("challenge"), "{page}");
    assert!(browser.get(HERE).await.text().contains("None yet."));
}

#[tokio::test]
async fn a_move_asks_for_a_fresh_proof_and_goes_on_behind_it() {
    let place = place().await;
    place.member("ada").await;
    came_by_acme(&place).await;
    let mut browser = place.browser_of("ada").await;
    place.app.clock.advance(std::time::Duration::from_secs(3600));
    let asked = browser.submit_from(TAKEN, MOVE, &[]).await;
    let next: String = url::form_urlencoded::byte_serialize(TAKEN.as_bytes()).collect();
    assert_eq!(asked.header("location"), format!("/account/prove?told=unsent&next={next}"), "{}", asked.text());
    let said = "What you sent was not done.";
    assert!(browser.get(asked.header("location")).await.text().contains(said), "the box has to be ticked again");
    // A link has sent nothing.
    let led = browser.get("/account/security/app").await;
    assert_eq!(led.header("location"), "/account/prove?next=%2Faccount%2Fsecurity%2Fapp");
    assert!(!browser.get(led.header("location")).await.text().contains(said));
    browser.cookies.insert("__Host-userd_language".to_owned(), "ru".to_owned());
    assert!(browser.get(asked.header("location")).await.text().contains("Отправленное не выполнено"));
    let fields = [("password", PASSWORD)];
    let proven = browser.submit_from(asked.header("location"), "/account/prove", &fields).await;
    assert_eq!(proven.header("location"), TAKEN, "{}", proven.text());
}

/// Whoever has only ever come by a provider has no password to show: they prove themselves there. What opens another account
/// or none proves nothing, and makes none.
#[tokio::test]
async fn whoever_has_no_password_proves_themselves_where_they_come_from() {
    let place = place().await;
    let mut browser = came_by_acme(&place).await;
    place.app.clock.advance(std::time::Duration::from_secs(3600));
    let app = "/account/security/app";
    let asked = browser.get(app).await.header("location").to_owned();
    let way = "/account/prove/with/acme?next=%2Faccount%2Fsecurity%2Fapp";
    let page = browser.get(&asked).await.text();
    assert!(page.contains(&format!("href=\"{way}\"")) && page.contains("Continue with Works &amp; Co"), "{page}");

    let there = browser.get(way).await;
    let back = says_yes_as(&place, &browser, there.header("location"), "sub-2").await;
    let failed = browser.get(&back).await.header("location").to_owned();
    assert_eq!(failed, "/account/prove?told=failed&next=%2Faccount%2Fsecurity%2Fapp");
    let page = browser.get(&failed).await.text();
    assert!(page.contains("That did not prove it") && page.contains(way), "{page}");
    let services = place.services();
    let all = services.users.list(&services.operator_context(), &UserFilter::default(), None, 10).await.unwrap();
    assert_eq!(all.items.len(), 1, "no account was made");
    assert_eq!(browser.get(app).await.header("location"), asked, "nothing was proven");

    let before = browser.cookies[SESSION].clone();
    let there = browser.get(way).await;
    let back = says_yes(&place, &browser, there.header("location")).await;
    assert_eq!(browser.get(&back).await.header("location"), app);
    assert_ne!(browser.cookies[SESSION], before, "another secret after the proof");
    assert_eq!(browser.get(app).await.status, 200);

    place.member("ada").await;
    let mut other = place.browser_of("ada").await;
    let page = other.get("/account/prove").await.text();
    assert!(!page.contains("/prove/with/"), "nothing is linked to this one: {page}");
    let there = other.get("/account/prove/with/acme").await;
    let back = says_yes(&place, &other, there.header("location")).await;
    assert_eq!(other.get(&back).await.header("location"), "/account/prove?told=failed&next=%2Faccount");
    assert!(other.get("/account").await.text().contains("Hello, ada"), "still who they were");
}
