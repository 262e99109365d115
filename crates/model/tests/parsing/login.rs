//! What people type to sign in.

use proptest::prelude::*;
use userd_model::{Email, Login, Phone, Username};

#[test]
fn the_kind_of_a_login_is_seen_from_its_characters() {
    assert_eq!(Login::parse("Anna@Example.org"), Login::Email(Email::parse("anna@example.org").unwrap()));
    assert_eq!(Login::parse("+79161234567"), Login::Phone(Phone::parse("+79161234567").unwrap()));
    assert_eq!(Login::parse("Anna"), Login::Username(Username::parse("Anna").unwrap()));
}

/// AC-021: a throttle keyed by the canonical form is not evaded by another spelling.
#[test]
fn all_spellings_of_a_login_have_one_canonical_form() {
    for (one, other) in [
        ("anna", "ANNA"),
        ("жанна", "ЖАННА"),
        ("caf\u{e9}", "CAFE\u{301}"),
        ("straße", "STRASSE"),
        ("Anna@Example.org", "anna@EXAMPLE.ORG"),
        ("info@пример.рф", "INFO@xn--e1afmkfd.XN--P1AI"),
        ("anna", " anna\n"),
        ("anna@example.org", "\tanna@example.org "),
        ("+79161234567", " +79161234567\u{a0}"),
    ] {
        let canonical = Login::parse(one).canonical().unwrap().into_owned();
        assert_eq!(Login::parse(other).canonical().unwrap(), canonical, "{one} and {other}");
    }
}

#[test]
fn what_nobody_could_register_is_unknown_and_not_an_error() {
    for text in [
        "",
        "a",
        "@",
        "a@b",
        "+",
        "+abc",
        "an na",
        "anna\0",
        "an\u{200B}na",
        "'; DROP TABLE users; --",
        &"x".repeat(1_000_000),
    ] {
        assert_eq!(Login::parse(text), Login::Unknown, "{:.20}", text);
    }
    assert_eq!(Login::Unknown.canonical(), None);
}

proptest! {
    #[test]
    fn any_text_is_some_login(text in "\\PC{0,40}") {
        let login = Login::parse(&text);
        if let Login::Email(email) = &login {
            prop_assert_eq!(Login::parse(email.as_str()), login);
        }
    }
}

/// What is far longer than any login is not looked at, white space around it included.
#[test]
fn input_is_bounded_before_it_is_read() {
    let padded = |text: &str, bytes: usize| format!("{text}{}", " ".repeat(bytes - text.len()));
    assert!(Email::parse(&padded("anna@example.org", 1024)).is_ok());
    assert!(Email::parse(&padded("anna@example.org", 1025)).is_err());
    assert!(Username::parse(&padded("anna", 1024)).is_ok());
    assert!(Username::parse(&padded("anna", 1025)).is_err());
}
