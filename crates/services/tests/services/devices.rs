//! The list of devices, and ending sessions on them.

use std::time::Duration;

use userd_model::{EventKind, Refusal, SessionId};

use crate::{
    fixture::{Fixture, refusal, with},
    personas::{PASSWORD, at, home, login_with, of_id, of_session, started},
};

/// ASVS V7.5.2
#[apply(case)]
async fn the_list_shows_where_one_is_signed_in(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    app.member("grace").await;
    app.advance(Duration::from_secs(1));
    let mut asked = login_with("ada", PASSWORD);
    asked.device_name = Some("Phone".into());
    let phone = app.sessions.login(&at(&app, home()), asked).await.map(started).unwrap().tokens.session_id;
    let devices = app.sessions.list(&of_session(&app, ada.id, phone, home()), ada.id, None, 10).await.unwrap();
    let shown: Vec<_> = devices.iter().map(|d| (d.id, d.device_name.as_deref(), d.current)).collect();
    assert_eq!(shown, [(ada.tokens.session_id, None, false), (phone, Some("Phone"), true)]);
    assert_eq!(
        (devices[0].user_agent.as_deref(), devices[0].amr.as_slice()),
        (Some("Browser/1"), &["pwd".to_owned()][..])
    );
}

#[apply(case)]
async fn pages_follow_each_other_over_ended_sessions(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let mut all = vec![ada.tokens.session_id];
    for n in 0..8 {
        app.advance(Duration::from_secs(n % 2));
        all.push(app.login("ada", PASSWORD).await.unwrap().tokens.session_id);
    }
    for ended in [1, 2, 3, 4, 8] {
        app.sessions.end(&of_id(&app, ada.id), ada.id, all[ended]).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = app.sessions.list(&of_id(&app, ada.id), ada.id, after, 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.created_at, last.id));
        seen.extend(page.iter().map(|device| device.id));
    }
    let mut alive: Vec<SessionId> = [0, 5, 6, 7].map(|place| all[place]).to_vec();
    alive.sort();
    seen.sort();
    assert_eq!(seen, alive);
    app.advance(Duration::from_secs(31 * 24 * 3600));
    assert!(app.devices_of(ada.id).await.is_empty(), "expired ones are not shown");
}

#[apply(case)]
async fn one_session_ends_and_the_others_go_on(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let phone = app.login("ada", PASSWORD).await.unwrap().tokens;
    app.sessions.end(&of_id(&app, ada.id), ada.id, phone.session_id).await.unwrap();
    app.sessions.end(&of_id(&app, ada.id), ada.id, phone.session_id).await.unwrap();
    assert!(app.is_out(&phone).await);
    assert!(!app.is_out(&ada.tokens).await);
    assert_eq!(app.count_of(ada.id, EventKind::SessionEnded).await, 1, "ending twice is ending once");
}

/// AC-103: a session of somebody else is named.
/// ASVS V8.2.2
#[apply(case)]
async fn nobody_ends_a_session_of_somebody_else(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    for id in [grace.tokens.session_id, SessionId(uuid::Uuid::nil())] {
        assert_eq!(refusal(app.sessions.end(&of_id(&app, ada.id), ada.id, id).await), Refusal::NotFound);
    }
    assert!(!app.is_out(&grace.tokens).await);
}

#[apply(case)]
async fn all_sessions_end_or_all_but_this_one(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let phone = app.login("ada", PASSWORD).await.unwrap().tokens;
    let tablet = app.login("ada", PASSWORD).await.unwrap().tokens;
    app.sessions.end_all(&of_id(&app, ada.id), ada.id, Some(phone.session_id)).await.unwrap();
    assert!(app.is_out(&ada.tokens).await && app.is_out(&tablet).await);
    assert!(!app.is_out(&phone).await);
    app.sessions.end_all(&of_id(&app, ada.id), ada.id, None).await.unwrap();
    assert!(app.devices_of(ada.id).await.is_empty());
    assert!(app.who(&phone.access_token).await.is_err());
    assert_eq!(app.count_of(ada.id, EventKind::SessionEnded).await, 3);
    assert!(!app.is_out(&grace.tokens).await);
}

/// ASVS V7.1.2
#[apply(case)]
async fn one_session_too_many_pushes_out_the_oldest(fixture: Fixture) {
    let app = fixture.app_with(with(|settings| settings.sessions_per_user = 3)).await;
    let ada = app.member("ada").await;
    let mut all = vec![ada.tokens.clone()];
    for _ in 0..4 {
        app.advance(Duration::from_secs(1));
        all.push(app.login("ada", PASSWORD).await.unwrap().tokens);
    }
    let alive: Vec<_> = all[2..].iter().map(|tokens| tokens.session_id).collect();
    assert_eq!(app.devices_of(ada.id).await, alive);
    assert!(app.is_out(&all[0]).await && app.is_out(&all[1]).await);
    assert!(!app.is_out(&all[2]).await);
    assert_eq!(app.count_of(ada.id, EventKind::SessionEnded).await, 2);
}

#[apply(case)]
async fn a_device_of_ones_own_gets_another_name_and_its_session_goes_on(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    let mine = of_session(&app, ada.id, ada.tokens.session_id, home());
    let named = app.sessions.name_device(&mine, ada.tokens.session_id, "At work").await.unwrap();
    assert_eq!((named.device_name.as_deref(), named.current), (Some("At work"), true));
    assert!(app.refresh(&ada.tokens.refresh_token).await.is_ok());
    let theirs = app.sessions.name_device(&mine, grace.tokens.session_id, "Mine").await;
    assert_eq!(refusal(theirs.map(drop)), Refusal::NotFound);
    let wrong = app.sessions.name_device(&mine, ada.tokens.session_id, "a\nb").await;
    assert!(matches!(refusal(wrong.map(drop)), Refusal::InvalidInput(_)));
}
