//! What reaches a user how.

use userd_model::{
    Actor, Refusal, UserId,
    preferences::{Category, CategoryName, ChannelChoice, MessageChannel, Preferences, PreferencesInput},
};
use userd_services::preferences::NotificationPreferences;

use crate::{
    fixture::{Fixture, TestApp, at_once, refusal, wrong_fields},
    personas::{acting, at, home, of, of_id},
};

fn quiet_orders() -> PreferencesInput {
    let no_mail = ChannelChoice { email: false, ..ChannelChoice::default() };
    PreferencesInput {
        categories: [("orders".to_owned(), no_mail)].into(),
        quiet_hours: Some(("22:00".to_owned(), "08:00".to_owned())),
    }
}

async fn mute(app: &TestApp, user: UserId, category: CategoryName, channel: MessageChannel) -> Result<bool, Refusal> {
    let ctx = app.context();
    let muted = app.changes.run(&ctx, "mute", |mut change| {
        let category = category.clone();
        async move {
            let muted = NotificationPreferences::mute(&mut change, user, &category, channel).await?;
            change.commit(muted).await
        }
    });
    match muted.await {
        Err(userd_services::Failure::Refused(refusal)) => Err(refusal),
        other => Ok(other.unwrap()),
    }
}

#[apply(case)]
async fn preferences_are_the_defaults_until_somebody_chooses(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    assert_eq!(app.preferences.read(&of(&app, &ada)).await.unwrap(), Preferences::default());
    let chosen = app.preferences.replace(&of(&app, &ada), &quiet_orders(), Some(0)).await.unwrap();
    assert_eq!(chosen.version, 1);
    assert_eq!(app.preferences.read(&of(&app, &ada)).await.unwrap(), chosen);
    assert_eq!(NotificationPreferences::of(&mut app.reading(), ada.id).await.unwrap(), chosen);
    assert_eq!(app.preferences.read(&of(&app, &grace)).await.unwrap(), Preferences::default());
    let again = app.preferences.replace(&of(&app, &ada), &PreferencesInput::default(), None).await.unwrap();
    assert_eq!((again.version, again.quiet_hours, again.categories.len()), (2, None, 0));
    assert_eq!(app.preferences.read(&of(&app, &ada)).await.unwrap(), again);
}

#[apply(case)]
async fn preferences_are_chosen_by_their_owner_alone_and_over_the_version_they_saw(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let choose = async |expected| app.preferences.replace(&of(&app, &ada), &quiet_orders(), expected).await;
    assert_eq!(refusal(choose(Some(1)).await), Refusal::VersionMismatch);
    choose(Some(0)).await.unwrap();
    assert_eq!(refusal(choose(Some(0)).await), Refusal::VersionMismatch);
    let mut muted = quiet_orders();
    let nothing = ChannelChoice { inbox: false, email: false, telegram: false };
    muted.categories.insert("security".to_owned(), nothing);
    assert_eq!(
        wrong_fields(app.preferences.replace(&of(&app, &ada), &muted, None).await),
        ["/categories/security/inbox", "/categories/security/email"]
    );
    for ctx in [at(&app, home()), app.operator_context()] {
        assert!(app.preferences.replace(&ctx, &quiet_orders(), None).await.is_err());
        assert!(app.preferences.read(&ctx).await.is_err());
    }
    app.users.block(&acting(&app, &Actor::Operator), ada.id).await.unwrap();
    assert_eq!(refusal(choose(None).await), Refusal::Blocked);
    let nobody = of_id(&app, UserId(uuid::Uuid::nil()));
    assert_eq!(refusal(app.preferences.replace(&nobody, &quiet_orders(), None).await), Refusal::NotSignedIn);
}

#[apply(case)]
async fn of_many_first_choices_at_once_each_is_one_version(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let services = app.shared();
    let answers = at_once(8, |_| {
        let (services, id) = (services.clone(), ada.id);
        async move { services.preferences.replace(&of_id(&services, id), &quiet_orders(), Some(0)).await }
    });
    let won = answers.await.into_iter().filter(Result::is_ok).count();
    assert_eq!(won, 1, "whoever saw nothing chosen replaces nothing that was chosen since");
    assert_eq!(app.preferences.read(&of(&app, &ada)).await.unwrap().version, 1);
}

#[apply(case)]
async fn muting_takes_one_channel_of_one_category(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let message = CategoryName::from(Category::Message);
    assert_eq!(mute(&app, ada.id, message.clone(), MessageChannel::Email).await, Ok(true));
    assert_eq!(mute(&app, ada.id, message.clone(), MessageChannel::Email).await, Ok(false));
    assert_eq!(mute(&app, ada.id, message.clone(), MessageChannel::Telegram).await, Ok(true));
    let security = CategoryName::from(Category::Security);
    assert_eq!(mute(&app, ada.id, security, MessageChannel::Email).await, Err(Refusal::Forbidden));
    let preferences = app.preferences.read(&of(&app, &ada)).await.unwrap();
    assert_eq!(MessageChannel::ALL.map(|channel| preferences.wants(&message, channel)), [true, false, false]);
    assert_eq!(preferences.version, 2);
}
