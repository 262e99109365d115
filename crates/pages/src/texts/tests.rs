//! What was not translated, and what cannot be filled in.

use std::collections::BTreeSet;

use super::*;

/// The same in both languages.
const SAME: [&str; 0] = [];

fn all() -> Vec<(&'static str, &'static str, &'static str)> {
    [
        common::Common::ALL,
        common::Problems::ALL,
        sign_in::SignIn::ALL,
        account::Account::ALL,
        passkeys::Passkeys::ALL,
        &admin::all(),
    ]
    .concat()
}

fn holes(text: &str) -> BTreeSet<&str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name).collect()
}

fn is_cyrillic(text: &str) -> bool {
    text.chars().any(|letter| ('а'..='я').contains(&letter.to_lowercase().next().unwrap_or(letter)))
}

#[test]
fn every_text_is_translated() {
    for (key, english, russian) in all() {
        assert!(!english.is_empty() && !russian.is_empty(), "{key}");
        if !SAME.contains(&key) && !key.starts_with("language_name") {
            assert!(is_cyrillic(russian), "{key} is not in Russian");
            assert!(!is_cyrillic(english), "{key} is not in English");
        }
    }
}

#[test]
fn both_languages_have_the_same_places_for_values() {
    for (key, english, russian) in all() {
        assert_eq!(holes(english), holes(russian), "{key}");
    }
}

#[test]
fn what_is_counted_has_two_forms_in_english_and_three_in_russian() {
    for (key, english, russian) in all().into_iter().filter(|(_, english, _)| english.contains('|')) {
        assert_eq!((english.split('|').count(), russian.split('|').count()), (2, 3), "{key}");
    }
}

#[test]
fn numbers_go_with_the_form_of_their_language() {
    let (english, russian) = ("{n} device|{n} devices", "{n} устройство|{n} устройства|{n} устройств");
    for (number, told) in [(0, "0 devices"), (1, "1 device"), (2, "2 devices"), (21, "21 devices")] {
        assert_eq!(count(english, number, Language::English), told);
    }
    for (number, told) in [
        (0, "0 устройств"),
        (1, "1 устройство"),
        (3, "3 устройства"),
        (11, "11 устройств"),
        (12, "12 устройств"),
        (21, "21 устройство"),
        (112, "112 устройств"),
        (104, "104 устройства"),
    ] {
        assert_eq!(count(russian, number, Language::Russian), told);
    }
}
