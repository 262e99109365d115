//! What reaches a person how.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails by panicking")]

use std::collections::BTreeMap;

use userd_model::{
    Refusal,
    preferences::{Category, CategoryName, ChannelChoice, MessageChannel, Preferences, PreferencesInput},
    quiet_hours::zone_of,
};

const MUTED: ChannelChoice = ChannelChoice { inbox: false, email: false, telegram: false };

fn input(categories: &[(&str, ChannelChoice)]) -> PreferencesInput {
    let categories = categories.iter().map(|(name, choice)| ((*name).to_owned(), *choice)).collect();
    PreferencesInput { categories, quiet_hours: None }
}

fn wrong(input: &PreferencesInput) -> Vec<String> {
    match Preferences::default().replace(input, None) {
        Err(Refusal::InvalidInput(fields)) => fields.into_iter().map(|field| field.pointer).collect(),
        other => panic!("not refused for its fields: {other:?}"),
    }
}

#[test]
fn whoever_chose_nothing_gets_everything() {
    let nothing = Preferences::default();
    assert_eq!(nothing.version, 0);
    let names: Vec<_> = nothing.shown().into_keys().map(String::from).collect();
    assert_eq!(names, ["account", "administration", "message", "security"]);
    assert!(nothing.shown().values().all(|choice| *choice == ChannelChoice::default()));
    for category in ["security", "orders.shipped"] {
        let category = CategoryName::parse(category).unwrap();
        assert!(MessageChannel::ALL.iter().all(|channel| nothing.wants(&category, *channel)));
    }
}

#[test]
fn security_stays_on_where_it_is_read_first() {
    assert_eq!(wrong(&input(&[("security", MUTED)])), ["/categories/security/inbox", "/categories/security/email"]);
    let security = CategoryName::from(Category::Security);
    let mut preferences = Preferences::default();
    preferences
        .replace(&input(&[("security", ChannelChoice { telegram: false, ..ChannelChoice::default() })]), None)
        .unwrap();
    assert!(!preferences.wants(&security, MessageChannel::Telegram));
    for channel in [MessageChannel::Inbox, MessageChannel::Email] {
        assert_eq!(preferences.mute(&security, channel), Err(Refusal::Forbidden));
        assert!(preferences.wants(&security, channel));
        // Not even a row that somebody wrote by hand does it.
        let by_hand = Preferences { categories: BTreeMap::from([(security.clone(), MUTED)]), ..Preferences::default() };
        assert!(by_hand.wants(&security, channel));
    }
}

#[test]
fn a_channel_is_muted_alone() {
    let category = CategoryName::from(Category::Account);
    for muted in MessageChannel::ALL {
        let mut preferences = Preferences::default();
        assert_eq!(preferences.mute(&category, muted), Ok(true));
        assert_eq!(preferences.mute(&category, muted), Ok(false), "it is off already");
        for channel in MessageChannel::ALL {
            assert_eq!(preferences.wants(&category, channel), channel != muted, "{channel:?}");
        }
    }
}

#[test]
fn security_ignores_quiet_hours_and_the_rest_waits() {
    let hours = Some(("22:00".to_owned(), "08:00".to_owned()));
    let mut preferences = Preferences::default();
    preferences.replace(&PreferencesInput { quiet_hours: hours, ..PreferencesInput::default() }, Some(0)).unwrap();
    let (night, zone) = ("2026-07-01T23:00:00Z".parse().unwrap(), zone_of(None));
    let until = |category: Category| preferences.quiet_until(&category.into(), night, &zone);
    assert_eq!(until(Category::Security), None);
    for category in [Category::Account, Category::Administration, Category::Message] {
        assert_eq!(until(category), Some("2026-07-02T08:00:00Z".parse().unwrap()));
    }
}

#[test]
fn every_wrong_field_is_named() {
    let mut many = input(&[("Orders", MUTED), ("a/b~c", MUTED), ("", MUTED), ("security", MUTED)]);
    many.quiet_hours = Some(("25:00".to_owned(), "8".to_owned()));
    let expected = [
        "/categories/",
        "/categories/Orders",
        "/categories/a~1b~0c",
        "/categories/security/inbox",
        "/categories/security/email",
        "/quiet_hours/from",
        "/quiet_hours/to",
    ];
    assert_eq!(wrong(&many), expected);
    assert_eq!(wrong(&input(&[(&"a".repeat(51), MUTED)])).len(), 1);
    assert!(Preferences::default().replace(&input(&[(&"a".repeat(50), MUTED), ("0_.-z", MUTED)]), None).is_ok());
}

/// What is shown can always be sent back.
#[test]
fn there_are_at_most_fifty_categories_with_ours() {
    let own = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("own.{n}")).collect();
        input(&names.iter().map(|name| (name.as_str(), MUTED)).collect::<Vec<_>>())
    };
    let mut preferences = Preferences::default();
    preferences.replace(&own(46), None).unwrap();
    let shown = preferences.shown().into_iter().map(|(name, choice)| (name.into(), choice)).collect();
    preferences.replace(&PreferencesInput { categories: shown, quiet_hours: None }, Some(1)).unwrap();
    assert_eq!(preferences.version, 2);
    assert_eq!(wrong(&own(47)), ["/categories"]);
    assert!(wrong(&own(50_000)).len() <= 50);
}

#[test]
fn a_mute_keeps_the_rest_and_is_no_change_the_second_time() {
    let mut preferences = Preferences::default();
    let orders = CategoryName::parse("orders").unwrap();
    assert_eq!(preferences.mute(&orders, MessageChannel::Email), Ok(true));
    assert_eq!(preferences.mute(&orders, MessageChannel::Email), Ok(false));
    assert_eq!(preferences.version, 1);
    let on = MessageChannel::ALL.map(|channel| preferences.wants(&orders, channel));
    assert_eq!(on, [true, false, true]);
    assert!(preferences.wants(&Category::Message.into(), MessageChannel::Email));
}

#[test]
fn another_version_is_refused_before_anything_else() {
    let mut preferences = Preferences::default();
    assert_eq!(preferences.replace(&input(&[("security", MUTED)]), Some(1)), Err(Refusal::VersionMismatch));
    assert_eq!(preferences, Preferences::default());
}
