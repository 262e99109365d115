//! Login flows: bound to the browser and the provider, used once, gone after ten minutes.

use std::{sync::Arc, time::Duration};

use userd_model::Refusal;
use userd_providers::ProviderFault;
use userd_services::sign_in::{Along, Finished, Start};
use userd_storage::testing::Counting;

use super::elsewhere::{Elsewhere, answer, app_with_acme, code, offering, refused, state_of};
use crate::{
    fixture::{Fixture, at_once, refusal, with, wrong_fields},
    personas::{at, home, started},
};

/// AC-051: the state is left out, empty, or of nobody.
/// ASVS V10.1.2, V10.2.1
#[apply(case)]
async fn a_missing_or_unknown_state_is_refused(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let begun = app.begin("acme").await;
    let cookie = Some(begun.browser.as_str());
    let mut without = answer("");
    let shortened = state_of(&begun)[1..].to_owned();
    for (state, slug) in [
        (None, "state_missing"),
        (Some(String::new()), "state_missing"),
        (Some("not base64url!".to_owned()), "state_missing"),
        (Some(shortened), "state_missing"),
        (Some("A".repeat(43)), "state_unknown"),
    ] {
        without.remove("state");
        without.extend(state.clone().map(|state| ("state".to_owned(), state)));
        let finished = app.sign_in.finish(&at(&app, home()), "acme", &without, cookie).await;
        assert_eq!(refused(finished), Refusal::ProviderRefused(slug), "{state:?}");
    }
    assert!(matches!(app.come_back("acme", &begun).await, Finished::Code { .. }), "the real one is still good");
}

/// AC-056: a state that the caller chose was never stored here.
#[apply(case)]
async fn a_replayed_state_is_refused(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let begun = app.begin("acme").await;
    code(app.come_back("acme", &begun).await);
    assert_eq!(refused(app.come_back("acme", &begun).await), Refusal::ProviderRefused("state_unknown"));
}

/// AC-083, AC-052: a flow is begun in the attacker's browser and finished in the victim's.
/// ASVS V10.1.2
#[apply(case)]
async fn another_browser_cannot_finish_a_login_flow(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let victims = app.begin("acme").await;
    for cookie in [None, Some(victims.browser.as_str()), Some(""), Some("nonsense")] {
        let attackers = app.begin("acme").await;
        let finished = app.sign_in.finish(&at(&app, home()), "acme", &answer(&state_of(&attackers)), cookie).await;
        assert_eq!(refused(finished), Refusal::ProviderRefused("browser_mismatch"));
    }
    assert!(app.reading().users().page(None, 9).await.unwrap().is_empty());
}

/// A scanner of links, a prefetch, another tab's provider: whoever comes to a callback without the right binding uses
/// nothing up, and costs no unit of work. (fault 13)
#[apply(case)]
async fn an_attempt_is_used_up_only_by_the_browser_that_began_it(fixture: Fixture) {
    let (engine, counting) = Counting::over(Arc::clone(fixture.store.engine()));
    let (acme, other) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("other", |_| {}));
    let app = Fixture::over(engine).app_with(offering(&[&acme, &other])).await;
    let (begun, another) = (app.begin("acme").await, app.begin("acme").await);
    counting.take();
    let params = answer(&state_of(&begun));
    for cookie in [None, Some(another.browser.as_str()), Some("nonsense")] {
        let finished = app.sign_in.finish(&at(&app, home()), "acme", &params, cookie).await;
        assert_eq!(refused(finished), Refusal::ProviderRefused("browser_mismatch"));
    }
    assert_eq!(refused(app.come_back("other", &begun).await), Refusal::ProviderRefused("provider_mismatch"));
    assert!(counting.take().units.is_empty(), "nothing was written");
    code(app.come_back("acme", &begun).await);
    assert_eq!(refused(app.come_back("acme", &begun).await), Refusal::ProviderRefused("state_unknown"), "once");
}

/// AC-055: the answer of one provider is delivered to the callback of another.
/// ASVS V10.2.2
#[apply(case)]
async fn an_answer_at_another_providers_callback_is_refused(fixture: Fixture) {
    let (acme, evil) = (Elsewhere::new("acme", |_| {}), Elsewhere::new("evil", |_| {}));
    let app = fixture.app_with(offering(&[&acme, &evil])).await;
    let begun = app.begin("acme").await;
    assert_ne!(app.sign_in.redirect_uri("acme"), app.sign_in.redirect_uri("evil"));
    assert_eq!(refused(app.come_back("evil", &begun).await), Refusal::ProviderRefused("provider_mismatch"));
    evil.is(super::elsewhere::person("acme", "1"));
    assert_eq!(
        refused(app.through("evil").await),
        Refusal::ProviderRefused("provider_mismatch"),
        "nor may it speak for another"
    );
}

#[apply(case)]
async fn a_login_flow_lives_ten_minutes(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let (late, in_time) = (app.begin("acme").await, app.begin("acme").await);
    app.advance(Duration::from_secs(599));
    code(app.come_back("acme", &in_time).await);
    app.advance(Duration::from_secs(1));
    assert_eq!(refused(app.come_back("acme", &late).await), Refusal::ProviderRefused("state_expired"));
}

/// Too late, or a second time: the browser still lands where the application waits. (fault 12)
#[apply(case)]
async fn who_comes_too_late_or_twice_lands_where_the_application_waits(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let done = Some("https://app.example/done".to_owned());
    let start = || Start { return_to: done.clone(), code_challenge: Some("A".repeat(43)), ..Start::default() };
    let late = app.sign_in.start(&at(&app, home()), "acme", start()).await.unwrap();
    let used = app.sign_in.start(&at(&app, home()), "acme", start()).await.unwrap();
    code(app.come_back("acme", &used).await);
    app.advance(Duration::from_secs(600));
    for (begun, slug) in [(&late, "state_expired"), (&used, "state_unknown")] {
        let Finished::Refused { target, failure } = app.come_back("acme", begun).await else { panic!("not refused") };
        assert_eq!(target.return_to, done);
        assert_eq!(refusal::<()>(Err(failure)), Refusal::ProviderRefused(slug));
    }
    app.advance(Duration::from_secs(3000));
    let Finished::Refused { target, .. } = app.come_back("acme", &late).await else { panic!("not refused") };
    assert_eq!(target.return_to, None, "after an hour nothing is known of it");
}

/// AC-044: sign-in by a provider that was disabled, also in the middle.
#[apply(case)]
async fn a_disabled_provider_is_refused_at_the_start_and_at_the_callback(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let begun = app.begin("acme").await;
    let off = Elsewhere::new("acme", |facts| facts.policy.enabled = false);
    let mut options = offering(&[&off]);
    (options.clock, options.seed) = (Some(Arc::clone(&app.clock)), 2);
    let restarted = fixture.app_with(options).await;
    assert_eq!(refused(restarted.come_back("acme", &begun).await), Refusal::NoSuchProvider);
    for id in ["acme", "unknown", ""] {
        assert_eq!(
            refusal(restarted.sign_in.start(&at(&restarted, home()), id, Start::default()).await),
            Refusal::NoSuchProvider
        );
        let native = userd_providers::NativeProof::AccessToken("t");
        assert_eq!(
            refusal(restarted.sign_in.native(&at(&restarted, home()), id, native, Along::default()).await.map(started)),
            Refusal::NoSuchProvider
        );
    }
    assert_eq!(restarted.sign_in.offered().len(), 0);
}

#[apply(case)]
async fn a_provider_without_a_browser_flow_has_no_start(fixture: Fixture) {
    let app_only = Elsewhere::new("acme", |facts| facts.capabilities.browser = false);
    let app = fixture.app_with(offering(&[&app_only])).await;
    assert_eq!(refusal(app.sign_in.start(&at(&app, home()), "acme", Start::default()).await), Refusal::NoSuchProvider);
}

/// AC-059, AC-060: a way back with userinfo, another path, another host, dots, encodings, a script.
#[apply(case)]
async fn the_way_back_is_compared_exactly(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let start = async |return_to: &str| {
        let start =
            Start { return_to: Some(return_to.to_owned()), code_challenge: Some("A".repeat(43)), ..Start::default() };
        app.sign_in.start(&at(&app, home()), "acme", start).await
    };
    for foreign in [
        "",
        "https://evil.example/",
        "https://app.example/done/",
        "https://app.example/done?x=1",
        "https://app.example/done#x",
        "https://app.example/Done",
        "https://app.example/./done",
        "https://app.example/a/../done",
        "https://app.example/%64one",
        "https://app.example:443/done",
        "https://APP.example/done",
        "https://app.example@evil.example/done",
        "https://app.example.evil.example/done",
        "https://evil.example/?https://app.example/done",
        "http://app.example/done",
        "//app.example/done",
        "https:/app.example/done",
        "https://app.example\\done",
        " https://app.example/done",
        "https://app.example/done\n",
        "javascript:alert(1)",
        "data:text/html,x",
    ] {
        assert_eq!(wrong_fields(start(foreign).await), ["/return_to"], "{foreign:?}");
    }
    let begun = start("https://app.example/done").await.unwrap();
    let Finished::Code { target, .. } = app.come_back("acme", &begun).await else { panic!("no code") };
    assert_eq!(target.return_to.as_deref(), Some("https://app.example/done"));
}

#[apply(case)]
async fn a_refusal_of_the_provider_lands_where_the_application_waits(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let start = || Start {
        return_to: Some("https://app.example/done".into()),
        code_challenge: Some("A".repeat(43)),
        ..Start::default()
    };
    for (fault, expected) in [
        (ProviderFault::Refused("nonce_mismatch"), Refusal::ProviderRefused("nonce_mismatch")),
        (ProviderFault::Unavailable("500".into()), Refusal::ProviderUnavailable),
        (ProviderFault::Misconfigured("bad secret".into()), Refusal::ProviderUnavailable),
    ] {
        let begun = app.sign_in.start(&at(&app, home()), "acme", start()).await.unwrap();
        *acme.fault.lock().unwrap() = Some(fault.clone());
        let finished = app.come_back("acme", &begun).await;
        let Finished::Refused { target, .. } = &finished else { panic!("not refused") };
        assert_eq!(target.return_to.as_deref(), Some("https://app.example/done"));
        assert_eq!(refused(finished), expected);
        *acme.fault.lock().unwrap() = Some(fault);
        assert_eq!(refusal(app.sign_in.start(&at(&app, home()), "acme", start()).await), expected, "at the start too");
    }
    let begun = app.sign_in.start(&at(&app, home()), "acme", start()).await.unwrap();
    let mut declined = answer(&state_of(&begun));
    declined.insert("error".into(), "access_denied".into());
    let finished = app.sign_in.finish(&at(&app, home()), "acme", &declined, Some(&begun.browser)).await;
    assert_eq!(refused(finished), Refusal::ProviderRefused("access_denied"));
}

/// F17: one callback, sixty-four times at once.
#[apply(case)]
async fn sixty_four_callbacks_make_one_account_and_one_code(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let begun = app.begin("acme").await;
    let services = app.shared();
    let finished = at_once(64, |_| {
        let (services, begun) = (Arc::clone(&services), begun.clone());
        async move {
            services
                .sign_in
                .finish(&at(&services, home()), "acme", &answer(&state_of(&begun)), Some(&begun.browser))
                .await
        }
    })
    .await;
    let (codes, lost): (Vec<_>, Vec<_>) = finished.into_iter().partition(|end| matches!(end, Finished::Code { .. }));
    assert_eq!(codes.len(), 1);
    assert!(lost.into_iter().all(|end| refused(end) == Refusal::ProviderRefused("state_unknown")));
    assert_eq!(app.reading().users().page(None, 9).await.unwrap().len(), 1);
}

/// One person, sixty-four flows at once: one account all the same.
#[apply(case)]
async fn sixty_four_first_sign_ins_of_one_person_make_one_account(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    acme.is(super::elsewhere::proven("acme", "7", "ada@example.org"));
    let services = app.shared();
    let mut flows = Vec::new();
    for _ in 0..16 {
        flows.push(app.begin("acme").await);
    }
    let finished = at_once(16, |n| {
        let (services, begun) = (Arc::clone(&services), flows[n].clone());
        async move {
            services
                .sign_in
                .finish(&at(&services, home()), "acme", &answer(&state_of(&begun)), Some(&begun.browser))
                .await
        }
    })
    .await;
    finished.into_iter().for_each(|end| drop(code(end)));
    let users = app.reading().users().page(None, 9).await.unwrap();
    assert_eq!(users.len(), 1);
    assert_eq!(app.reading().identities().of_user(users[0].id).await.unwrap().len(), 1);
}

#[apply(case)]
async fn login_flows_from_one_network_are_limited(fixture: Fixture) {
    let acme = Elsewhere::new("acme", |_| {});
    let mut options = with(|settings| {
        settings.limits.enabled = true;
        settings.limits.sign_in_per_network.burst = 3;
    });
    options.providers = offering(&[&acme]).providers;
    let app = fixture.app_with(options).await;
    for _ in 0..3 {
        app.begin("acme").await;
    }
    assert!(matches!(
        refusal(app.sign_in.start(&at(&app, home()), "acme", Start::default()).await),
        Refusal::TooManyAttempts(_)
    ));
}

/// ASVS V10.1.2
#[apply(case)]
async fn what_is_remembered_is_sealed_and_random(fixture: Fixture) {
    let (app, _) = app_with_acme(&fixture).await;
    let (one, two) = (app.begin("acme").await, app.begin("acme").await);
    let values = |begun: &userd_services::sign_in::StartedFlow| {
        let url = url::Url::parse(&begun.url).unwrap();
        let mut values: Vec<String> =
            url.query_pairs().filter(|(name, _)| name != "redirect_uri").map(|(_, value)| value.into_owned()).collect();
        values.push(begun.browser.clone());
        values
    };
    let mut all = [values(&one), values(&two)].concat();
    assert_eq!(all.len(), 8);
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 8, "state, nonce, challenge and cookie are all different, in both flows");
    assert!(all.iter().all(|value| value.len() == 43));
}
