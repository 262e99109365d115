//! Where somebody was going is not lost on the way, and whoever may not go there is told so before anything else.

use userd_model::Actor;
use userd_services::{
    RegistrationMode, Settings,
    invitations::NewInvitation,
    sign_in::Finished,
    testing::{TestOptions, TestProvider, settings},
};

use crate::{
    admin::administered,
    browser::{Browser, PASSWORD, Place, form_of},
    flows::{later, link, with},
};

const NEXT: &str = "next=%2Faccount%2Fdevices";
const SESSION: &str = "__Host-userd_session";

fn leads_to(page: &str, address: &str) -> bool {
    page.contains(&format!("href=\"{}\"", address.replace('&', "&amp;")))
}

#[tokio::test]
async fn where_somebody_was_going_is_kept_by_every_turn_on_the_way() {
    let place = Place::with(with(|settings| settings.email_code_sign_in = true)).await;
    place.member("ada").await;
    let mut browser = place.browser();
    let sign_in = format!("/sign-in?{NEXT}");
    let page = browser.get(&sign_in).await.text();
    for way in ["/forgot", "/register", "/sign-in/email-code"] {
        let way = format!("{way}?{NEXT}");
        assert!(leads_to(&page, &way), "{way}: {page}");
        assert!(leads_to(&browser.get(&way).await.text(), &sign_in), "{way} leads back");
    }
    let gone = browser.get(&format!("/sign-in/step?{NEXT}")).await;
    assert_eq!(gone.header("location"), format!("/sign-in?told=gone&{NEXT}"));
    let fields = [("login", "ada@example.org"), ("password", PASSWORD)];
    let again = browser.submit_from(gone.header("location"), "/sign-in", &fields).await;
    assert_eq!(again.header("location"), "/account/devices");
}

#[tokio::test]
async fn the_link_of_a_mail_leads_on_in_the_browser_that_asked_for_it() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    let forgot = format!("/forgot?{NEXT}");
    later(&place).await;
    let sent = browser.submit_from(&forgot, "/forgot", &[("login", "ada@example.org")]).await;
    assert!(leads_to(&sent.text(), &format!("/sign-in?{NEXT}")), "{}", sent.text());
    let link = link(&place).await;
    let done = browser.post(&link, "confirm=yes&new_password=seven+purple+ships+at+noon").await.text();
    assert!(leads_to(&done, &format!("/sign-in?{NEXT}")), "{done}");
    later(&place).await;
    browser.submit_from(&forgot, "/forgot", &[("login", "ada@example.org")]).await;
    let link = crate::flows::link(&place).await;
    let mut elsewhere = place.browser();
    let done = elsewhere.post(&link, "confirm=yes&new_password=eight+purple+ships+at+noon").await.text();
    assert!(leads_to(&done, "/sign-in?next=%2Faccount"), "another browser knows nothing of it: {done}");
}

/// AC-059: an application that is not known gets nobody's password either.
#[tokio::test]
async fn an_unknown_application_is_told_so_before_a_password_is_given() {
    let place = Place::new().await;
    let (_, challenge) = place.services().mint_proof_key();
    let mut browser = place.browser();
    for (return_to, challenge) in [
        ("https%3A%2F%2Fevil.example%2Fdone", challenge.as_str()),
        ("https%3A%2F%2Fapp.example%2Fdone%2F", &challenge),
        ("https%3A%2F%2Fapp.example%2Fdone", ""),
        ("https%3A%2F%2Fapp.example%2Fdone", "short"),
    ] {
        let page = browser.get(&format!("/sign-in?return_to={return_to}&code_challenge={challenge}")).await;
        assert_eq!(page.status, 422, "{return_to} {challenge}");
        assert!(page.text().contains("This application is not known here"), "{}", page.text());
        assert!(!page.text().contains("name=\"password\""), "{}", page.text());
    }
    let known = format!("/sign-in?return_to=https%3A%2F%2Fapp.example%2Fdone&code_challenge={challenge}");
    assert_eq!(browser.get(&known).await.status, 200);
}

/// The answer to a form may stand where no page is: then the page above it is shown in the other language.
#[tokio::test]
async fn the_language_is_chosen_also_on_the_answer_to_a_form() {
    let (place, ..) = administered().await;
    let mut browser = place.browser_of("boss").await;
    let answer = browser.submit_from("/admin/audit", "/admin/audit/verify", &[]).await;
    let mut fields = form_of(&answer.text(), "/language");
    assert!(fields.contains(&("next".to_owned(), "/admin/audit".to_owned())), "{fields:?}");
    fields.push(("language".to_owned(), "ru".to_owned()));
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    let chosen = browser.post("/language", &body).await;
    let page = browser.get(chosen.header("location")).await;
    assert_eq!((page.status.as_u16(), page.header("content-language")), (200, "ru"));
}

/// Nor does the other language forget where somebody was going, on the answer to a form that was refused.
#[tokio::test]
async fn the_language_is_chosen_on_a_refused_form_and_the_way_goes_on() {
    let place = Place::new().await;
    place.member("ada").await;
    let mut browser = place.browser();
    let here = "/sign-in?next=%2Faccount%2Fdevices";
    let wrong = [("login", "ada"), ("password", "not her password"), ("next", "/account/devices")];
    let refused = browser.submit_from(here, "/sign-in", &wrong).await;
    assert!(refused.status.is_client_error(), "{}", refused.text());
    let fields = form_of(&refused.text(), "/language");
    assert!(fields.contains(&("next".to_owned(), here.to_owned())), "{fields:?}");
}

fn by_invitation() -> TestOptions {
    let settings = Settings { registration: RegistrationMode::Invite, ..settings() };
    TestOptions { settings, providers: vec![TestProvider::named("acme", false)], ..TestOptions::default() }
}

/// There and back again, as the provider's pages lead.
async fn through(place: &Place, browser: &mut Browser<'_>, way: &str) -> userd_web::testing::Answer {
    let there = browser.get(way).await;
    assert_eq!(there.status, 303, "{}", there.text());
    let url = url::Url::parse(there.header("location")).unwrap();
    let state = url.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let params = [("code", "sub-1".to_owned()), ("state", state)].map(|(name, value)| (name.to_owned(), value)).into();
    let (services, proofs) = (place.services(), browser.cookies.values());
    let code = match services.sign_in.finish(&services.context(), "acme", &params, proofs).await {
        Finished::Code { code, .. } => code,
        other => panic!("{other:?}"),
    };
    browser.get(&format!("/signed-in?code={code}")).await
}

#[tokio::test]
async fn whoever_is_invited_may_come_through_a_provider() {
    let place = Place::with(by_invitation()).await;
    let services = place.services();
    let operator = services.context().acting_as(Actor::Operator);
    let made = services.invitations.create(&operator, &NewInvitation::default(), None).await.unwrap();
    let token = made.token.unwrap();
    let mut browser = place.browser();
    assert!(!browser.get("/register").await.text().contains("/sign-in/with/acme"), "not without an invitation");
    let page = browser.get(&format!("/register?invitation={token}&{NEXT}")).await.text();
    let way = format!("/sign-in/with/acme?{NEXT}&invitation={token}");
    assert!(leads_to(&page, &way), "{page}");
    let back = through(&place, &mut browser, &way).await;
    assert_eq!(back.header("location"), "/account/devices", "{}", back.text());
    assert!(browser.cookies.contains_key(SESSION));
    // The link of a mail is an invitation too.
    later(&place).await;
    let invited = NewInvitation { email: Some("eve@example.org".to_owned()), ..NewInvitation::default() };
    services.invitations.create(&operator, &invited, None).await.unwrap();
    let link = link(&place).await;
    let page = place.browser().get(&link).await.text();
    let way = format!("/sign-in/with/acme?next=%2Faccount&invitation={}", link.trim_start_matches("/l/"));
    assert!(leads_to(&page, &way), "{page}");
}
