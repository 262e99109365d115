//! New passwords.

use std::borrow::Cow;

use proptest::prelude::*;
use userd_model::{
    AboutUser, PasswordRules,
    password::{MAX_BYTES, normalise},
    password_blocklist::entries,
};

fn check(password: &str) -> Result<(), String> {
    PasswordRules::default().check(password, &AboutUser::default())
}

fn rules(min_length: usize) -> PasswordRules {
    PasswordRules { min_length, ..PasswordRules::default() }
}

const GUESSED: &str = "is one of the passwords that are guessed first";
const SIMPLE: &str = "is a repetition or a simple sequence";
const OWN: &str = "is made of your own name or address";
const SERVICE: &str = "is made of the name of this service";

/// ASVS V6.2.1
#[test]
fn length_is_counted_in_characters_after_normalisation() {
    assert_eq!(check("вилка-и-шар").unwrap_err(), "must have at least 12 characters");
    assert_eq!(check("вилка-и-шары"), Ok(()));
    // Twelve code points as typed, eleven after NFC.
    assert!(check("vilka-share\u{301}").is_err());
    let rules = rules(15);
    assert!(rules.check("tea kettle 42x", &AboutUser::default()).is_err());
    assert!(rules.check("tea kettle 42xy", &AboutUser::default()).is_ok());
}

/// ASVS V6.2.9
#[test]
fn long_passwords_are_fine_up_to_what_hashing_reads() {
    let phrase = |bytes: usize| {
        "kettle 42 plum; ".repeat(MAX_BYTES / 16 + 1).chars().take(bytes - 1).chain(['x']).collect::<String>()
    };
    for bytes in [64, 128, 1000, MAX_BYTES] {
        assert_eq!(check(&phrase(bytes)), Ok(()), "{bytes}");
    }
    assert_eq!(check(&phrase(MAX_BYTES + 1)).unwrap_err(), "must have at most 4096 bytes");
    assert!(check(&"x".repeat(50_000_000)).is_err());
    // U+1D15E grows threefold under NFC.
    assert!(check(&"\u{1D15E}".repeat(MAX_BYTES / 4)).is_err());
}

/// ASVS V6.2.4
///
/// ASVS V6.2.12
#[test]
fn every_common_password_is_refused_in_any_case() {
    let at = |length: usize| entries().iter().filter(move |entry| entry.chars().count() >= length);
    assert!(at(12).count() >= 3000, "long enough for the default rule: {}", at(12).count());
    assert!(at(8).count() >= 10_000);
    for entry in at(8) {
        assert_eq!(rules(8).check(entry, &AboutUser::default()).unwrap_err(), GUESSED, "{entry}");
    }
    for password in [
        "Password1234",
        "PASSWORD2026",
        "QwertyUiop123",
        "1Q2W3E4R5T6Y",
        "Gfhjkm123456",
        "ПАРОЛЬ123456",
        "P@ssw0rd1234",
        "123456789012",
    ] {
        assert_eq!(check(password).unwrap_err(), GUESSED, "{password}");
    }
}

#[test]
fn a_common_password_with_a_little_around_it_or_said_twice_is_still_common() {
    for password in [
        "!password123!",
        "passwordpassword",
        "PasswordPasswordPassword",
        "sunshine#42!",
        "..football..",
        "International1",
    ] {
        assert_eq!(check(password).unwrap_err(), GUESSED, "{password}");
    }
}

/// Examples that no other rule would refuse: the unit is on the list, the whole is not, and repeated it is no short
/// period (fault 38).
#[test]
fn a_common_password_said_again_is_refused_for_that_alone() {
    let mut judged = 0;
    // One of four: all of them take half a minute.
    for entry in entries().iter().filter(|entry| (8..=11).contains(&entry.chars().count())).step_by(4) {
        for times in 2..=4 {
            let said = entry.repeat(times);
            if (1..=4).any(|period| said.chars().zip(said.chars().skip(period)).all(|(one, again)| one == again)) {
                continue;
            }
            assert_eq!(check(&said).unwrap_err(), GUESSED, "{said}");
            judged += usize::from(!entries().contains(&said.as_str()));
        }
    }
    assert!(judged > 1_000, "the examples would be on the list themselves: {judged}");
    assert_eq!(check("kettle plum 4kettle plum 4"), Ok(()), "what is said again is not on the list");
}

#[test]
fn the_list_is_sorted_distinct_folded_and_long_enough() {
    assert!(entries().is_sorted_by(|one, next| one.chars().lt(next.chars())));
    for entry in entries() {
        assert_eq!(entry.to_lowercase(), **entry);
        assert!(entry.chars().count() >= 8 && entry.trim() == *entry, "{entry}");
    }
}

#[test]
fn repetitions_and_walks_are_refused() {
    for password in [
        "жжжжжжжжжжжж",
        "xyxyxyxyxyxyxy",
        "ab3ab3ab3ab3ab3",
        "7-x!7-x!7-x!",
        "aaaabbbbccccdddd",
        "abcdefghijklmnopq",
        "zyxwvutsrqpon",
        "abcd6789zyxw",
        "poiuytrewqasdfg",
        "фывапролджэячс",
        "1234567890123456789",
    ] {
        let refusal = check(password).unwrap_err();
        assert!(refusal == SIMPLE || refusal == GUESSED, "{password}: {refusal}");
    }
}

/// ASVS V6.2.11, V2.2.3
#[test]
fn the_users_own_words_are_refused() {
    let about = AboutUser {
        email: Some("anna.petrova+shop@nordwind.example"),
        username: Some("annushka_1990"),
        display_name: Some("Anna Šárka Petrova"),
    };
    for password in [
        "anna.petrova+shop@nordwind.example",
        "annapetrova2026",
        "Anna.Petrova!!!!",
        "ANNUSHKA_1990",
        "annushka19901",
        "2026annushka2026",
        "nordwind12345!",
        "annushkaannushka",
        "Petrova-Petrova",
        "avortepanna!",
        "AnnaŠárkaPetrova",
        "anna_petrova_1",
        "12121990petrova",
    ] {
        let refusal = PasswordRules::default().check(password, &about).unwrap_err();
        assert!(refusal == OWN || refusal == GUESSED, "{password}: {refusal}");
    }
    for password in ["anna likes herring", "kettle 42 plum"] {
        assert_eq!(PasswordRules::default().check(password, &about), Ok(()), "{password}");
    }
    // Somebody else's words are no reason.
    assert_eq!(check("annushka19901"), Ok(()));
}

/// ASVS V6.2.11, V6.1.2
#[test]
fn the_name_of_the_service_is_refused() {
    let rules =
        PasswordRules { context_words: vec!["userd".to_owned(), "Nord Wind".to_owned()], ..PasswordRules::default() };
    for password in ["userd20262026", "UserdUserdUserd", "nordwind-2026!", "Nord.Wind.77"] {
        assert_eq!(rules.check(password, &AboutUser::default()).unwrap_err(), SERVICE, "{password}");
    }
}

#[test]
fn very_short_own_words_are_no_reason() {
    let about = AboutUser { email: Some("a@b.io"), username: None, display_name: Some("Jo") };
    assert_eq!(PasswordRules::default().check("josephine-oat", &about), Ok(()));
    let nothing = AboutUser { email: Some(""), username: Some(""), display_name: Some("   ") };
    assert_eq!(PasswordRules::default().check("kettle 42 plum", &nothing), Ok(()));
}

/// ASVS V6.2.8
#[test]
fn normalising_joins_unicode_forms_and_changes_nothing_else() {
    assert_eq!(normalise("pa\u{301}ss"), normalise("p\u{e1}ss"));
    assert!(matches!(normalise(" Pass word "), Cow::Borrowed(" Pass word ")));
    assert_ne!(normalise("Password"), normalise("password"));
    assert_ne!(normalise("ﬁsh"), normalise("fish"));
    let long = "kettle 42 plum; ".repeat(8);
    assert_eq!(normalise(&long), long);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// ASVS V6.2.5
    #[test]
    fn nothing_is_asked_of_the_kinds_of_characters(
        password in prop_oneof!["[a-z]{18,40}", "[0-9]{30,40}", "[A-Z]{18,40}", "[а-я]{20,40}", "\\PC{15,40}", "[!-/]{20,40}"],
    ) {
        prop_assume!(password.nfc_count() >= 15);
        prop_assert_eq!(check(&password), Ok(()));
    }

    #[test]
    fn any_text_is_judged_without_harm(password in "\\PC{0,60}|.{0,20}", word in "\\PC{0,12}") {
        let about = AboutUser { email: Some(&word), username: Some(&word), display_name: Some(&word) };
        let _ = rules(0).check(&password, &about);
        let once = normalise(&password);
        prop_assert_eq!(normalise(&once), once.clone());
    }

    #[test]
    fn a_name_with_any_digits_around_it_is_no_password(name in "[a-z]{6,12}", before in "[0-9]{0,6}", after in "[0-9]{6,10}") {
        let about = AboutUser { username: Some(&name), ..AboutUser::default() };
        let password = format!("{before}{name}{after}");
        prop_assert!(PasswordRules::default().check(&password, &about).is_err());
    }
}

trait Count {
    fn nfc_count(&self) -> usize;
}

impl Count for String {
    fn nfc_count(&self) -> usize {
        normalise(self).chars().count()
    }
}
