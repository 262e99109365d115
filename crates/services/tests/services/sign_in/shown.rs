//! What a provider tells about a person, as it is shown here.

use userd_model::Refusal;
use userd_providers::Profile;
use userd_services::accounts::ProfileInput;

use super::elsewhere::{app_with_acme, person, proven};
use crate::{
    fixture::{Fixture, refusal, wrong_fields},
    personas::{PASSWORD, at, home, of, of_id, registration, started},
};

/// Names from elsewhere are shortened and freed of what hides or turns text; a phone number that was asked for is
/// shown, and signs nobody in. (fault 18)
#[apply(case)]
async fn what_a_provider_tells_is_fit_to_be_shown(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    acme.is(Profile {
        name: Some(format!("Ada\0\u{202e} L\u{200b}ovelace{}", "x".repeat(5000))),
        username: Some("\u{202e}ada\n".to_owned()),
        phone: Some("7 (900) 123-45-67".to_owned()),
        picture: Some("javascript:alert(1)".to_owned()),
        birthday: Some("\u{0}".to_owned()),
        ..person("acme", "9")
    });
    for _ in 0..2 {
        let ada = app.sign_in_through("acme").await;
        let name = ada.user.display_name.unwrap();
        assert!(name.starts_with("Ada  Lovelacex") && name.chars().count() == 100, "{name:?}");
        assert_eq!(ada.user.phone.as_deref(), Some("+79001234567"));
        let shown = app.sign_in.identities(&app.operator_context(), ada.user.id).await.unwrap().remove(0);
        assert_eq!(shown.display_name, Some(name));
        assert_eq!((shown.username.as_deref(), shown.phone.as_deref()), (Some("ada"), Some("+79001234567")));
        assert_eq!(shown.picture, None);
    }
    let number = |phone: Option<&str>| ProfileInput { phone: Some(phone.map(Into::into)), ..ProfileInput::default() };
    let of_ada = &of_id(&app, app.sign_in_through("acme").await.user.id);
    let another = app.accounts.change_profile(of_ada, number(Some("+79990000000")), None).await;
    assert_eq!(wrong_fields(another), ["/phone"], "nobody claims a number");
    assert_eq!(app.accounts.change_profile(of_ada, number(None), None).await.unwrap().phone, None);
    assert_eq!(app.sign_in_through("acme").await.user.phone, None, "and it does not come back");
    assert_eq!(refusal(app.login("+79001234567", PASSWORD).await), Refusal::WrongCredentials);
    for nothing in ["", " \n ", "\u{202e}\u{200b}", "\u{0}"] {
        acme.is(Profile { name: Some(nothing.into()), phone: Some(nothing.into()), ..person("acme", "10") });
        let nameless = app.sign_in_through("acme").await;
        assert_eq!((nameless.user.display_name, nameless.user.phone), (None, None), "{nothing:?}");
    }
}

/// The mailbox's owner does not go by the name that a squatter chose, nor with anything else they wrote. (fault 18)
#[apply(case)]
async fn what_a_squatter_wrote_goes_when_the_mailbox_is_proven(fixture: Fixture) {
    let (app, acme) = app_with_acme(&fixture).await;
    let squatter = app.member("squatter").await;
    let written = ProfileInput {
        display_name: Some(Some("A Fool".into())),
        locale: Some(Some("en".into())),
        time_zone: Some(Some("Europe/London".into())),
        attributes: serde_json::json!({ "title": "fool" }).as_object().cloned(),
        phone: None,
    };
    app.accounts.change_profile(&of(&app, &squatter), written, None).await.unwrap();
    let told = Profile {
        name: Some("Ada".into()),
        locale: Some("ru".into()),
        phone: Some("+79001234567".into()),
        ..proven("acme", "1", &squatter.email)
    };
    acme.is(told);
    let ada = app.sign_in_through("acme").await.user;
    assert_eq!((ada.id, ada.email.as_deref()), (squatter.id, Some(squatter.email.as_str())));
    assert_eq!((ada.display_name.as_deref(), ada.locale.as_deref()), (Some("Ada"), Some("ru")));
    assert_eq!(ada.phone.as_deref(), Some("+79001234567"));
    assert_eq!((ada.username, ada.time_zone, ada.attributes.len()), (None, None, 0));
    let name = registration(None, Some("squatter"));
    assert!(app.accounts.register(&at(&app, home()), name, None).await.map(started).is_ok(), "the name is free again");

    // Who has nothing to show for a name gets none, and not the squatter's.
    let squatter = app.member("squatter2").await;
    let named = ProfileInput { display_name: Some(Some("A Fool".into())), ..ProfileInput::default() };
    app.accounts.change_profile(&of(&app, &squatter), named, None).await.unwrap();
    acme.is(proven("acme", "2", &squatter.email));
    let nameless = app.sign_in_through("acme").await.user;
    assert_eq!((nameless.id, nameless.display_name), (squatter.id, None));
}
