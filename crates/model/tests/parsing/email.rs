//! E-mail addresses.

use proptest::prelude::*;
use userd_model::Email;

fn canonical(text: &str) -> String {
    Email::parse(text).unwrap_or_else(|detail| panic!("{text:?} is refused: {detail}")).as_str().to_owned()
}

fn refused(text: &str) -> &'static str {
    match Email::parse(text) {
        Ok(email) => panic!("{text:?} became {}", email.as_str()),
        Err(detail) => detail,
    }
}

#[test]
fn an_ordinary_address_keeps_its_parts() {
    let email = Email::parse("Anna.Petrova+news@Mail.Example.ORG").unwrap();
    assert_eq!(email.as_str(), "anna.petrova+news@mail.example.org");
    assert_eq!(email.local_part(), "anna.petrova+news");
    assert_eq!(email.domain(), "mail.example.org");
    assert_eq!(Email::stored(email.as_str().to_owned()), email);
}

#[test]
fn every_character_of_the_grammar_is_allowed_before_the_at() {
    let local = "a!#$%&'*+-/=?^_`{|}~0";
    assert_eq!(canonical(&format!("{local}@example.org")), format!("{local}@example.org"));
}

#[test]
fn a_domain_in_unicode_and_its_ascii_form_are_one_address() {
    assert_eq!(refused("почта@пример.рф"), "has characters before the @ that are not ASCII");
    for spelling in ["info@пример.рф", "INFO@ПРИМЕР.РФ", "info@xn--e1afmkfd.xn--p1ai", "info@XN--E1AFMKFD.xn--P1AI"]
    {
        assert_eq!(canonical(spelling), "info@xn--e1afmkfd.xn--p1ai");
    }
    // The same word composed and decomposed (NFC and NFD).
    assert_eq!(canonical("a@caf\u{e9}.example"), canonical("a@cafe\u{301}.example"));
    // Full-width letters and the ideographic full stop are spellings of the ASCII ones.
    assert_eq!(canonical("a@ｅxample\u{3002}org"), "a@example.org");
    // Non-transitional: ß is a letter of its own, not ss.
    assert_eq!(canonical("a@straße.de"), "a@xn--strae-oqa.de");
}

/// AC-110: characters that look like an @, or two of them.
#[test]
fn exactly_one_ascii_at_is_required() {
    assert_eq!(refused("a\u{FF20}example.org"), "contains a character that only looks like @");
    assert_eq!(refused("a\u{FE6B}example.org"), "contains a character that only looks like @");
    assert_eq!(refused("victim@example.org\u{FF20}evil.example"), "contains a character that only looks like @");
    assert_eq!(refused("a@b@example.org"), "has more than one @");
    assert_eq!(refused("example.org"), "has no @");
    assert_eq!(refused("@example.org"), "has nothing before the @");
    assert_eq!(refused("a@"), "has nothing after the @");
}

/// AC-110: dotless i, the Kelvin sign, long s and combining marks never turn into another mailbox's ASCII letters.
#[test]
fn letters_that_fold_to_ascii_are_refused_before_the_at() {
    for text in [
        "m\u{131}ke@example.org",
        "mi\u{212A}e@example.org",
        "mi\u{17F}a@example.org",
        "mike\u{301}@example.org",
        "mıke@example.org",
        "ｍike@example.org",
        "m\u{456}ke@example.org",
    ] {
        assert_eq!(refused(text), "has characters before the @ that are not ASCII", "{text:?}");
    }
}

/// AC-110: text direction, zero-width characters and NUL.
#[test]
fn invisible_and_control_characters_are_refused_anywhere() {
    for c in [
        '\u{200B}',
        '\u{200C}',
        '\u{200D}',
        '\u{200E}',
        '\u{202E}',
        '\u{2066}',
        '\u{2069}',
        '\u{FEFF}',
        '\u{AD}',
        '\u{E0041}',
    ] {
        for text in [
            format!("a{c}b@example.org"),
            format!("ab@exa{c}mple.org"),
            format!("{c}ab@example.org"),
            format!("ab@example.org{c}"),
        ] {
            assert_eq!(refused(&text), "contains an invisible character", "{text:?}");
        }
    }
    for text in ["a\0b@example.org", "ab@example.org\0", "ab@exa\u{7f}mple.org", "ab\u{85}@example.org"] {
        assert_eq!(refused(text), "contains a line break or another control character", "{text:?}");
    }
}

/// AC-110: a quoted local part.
///
/// AC-119: a line break on its way to SMTP.
///
/// ASVS V1.3.11
#[test]
fn quoted_local_parts_and_line_breaks_never_reach_smtp() {
    for text in [
        "\"a b\"@example.org",
        "\"a\"@example.org",
        "\"@\"@example.org",
        "a@example.org\r\nRCPT TO:<b@example.org>",
        "\"a\r\n\"@example.org",
        "a\n@example.org",
        "a@\nexample.org",
        "a@example\u{2028}.org",
        "a>@example.org",
        "<a@example.org>",
        "a@example.org>",
        "a,b@example.org",
        "a;b@example.org",
        "a:b@example.org",
        "a(b)@example.org",
        "a\\b@example.org",
    ] {
        refused(text);
    }
    assert_eq!(refused("\"a\"@example.org"), "has a quoted part before the @");
}

#[test]
fn a_space_within_an_address_is_refused_and_named() {
    for text in ["a @example.org", "a@ example.org", "a\u{a0}b@example.org", "a@example.org b"] {
        assert_eq!(refused(text), "contains a space", "{text:?}");
    }
}

/// AC-119: a line break at the end goes no further either. (fault 31)
#[test]
fn white_space_around_an_address_is_not_part_of_it() {
    for text in [" a@example.org", "a@example.org ", "\ta@example.org\r\n", "\u{a0}a@example.org\u{2028}"] {
        assert_eq!(canonical(text), "a@example.org", "{text:?}");
    }
    assert_eq!(refused("  "), "has no @");
    assert_eq!(refused(" @example.org"), "has nothing before the @");
}

/// AC-112: `xn--` labels that decode to ASCII, to nothing, or to what encodes differently.
#[test]
fn encoded_labels_have_one_spelling() {
    for domain in [
        "xn--example-.org",
        "xn--example.org",
        "xn--.org",
        "xn--a.org",
        "xn--a-.org",
        "example.xn--org-",
        "xn--xn---epa.org",
        "xn--e1AFMKFD-.org",
        "xn--bcher-KVA9.org",
        "xn--0.pt",
        "xn--mgba3gch31f060k.xn--example-.com",
        "xn--99999999.org",
    ] {
        refused(&format!("a@{domain}"));
    }
    assert_eq!(canonical("a@bücher.example"), "a@xn--bcher-kva.example");
    assert_eq!(canonical("a@xn--bcher-kva.example"), "a@xn--bcher-kva.example");
    assert_eq!(canonical("a@XN--BCHER-KVA.example"), "a@xn--bcher-kva.example");
}

#[test]
fn domains_that_no_resolver_accepts_are_refused() {
    for domain in [
        "localhost",
        "example",
        "example.org.",
        ".example.org",
        "example..org",
        "-example.org",
        "example-.org",
        "ex_ample.org",
        "ab--cd.org",
        "127.0.0.1",
        "[127.0.0.1]",
        "[IPv6:::1]",
        "example.123",
        "i❤.ws",
        "exam/ple.org",
        "example.org:25",
        "%65xample.org",
    ] {
        refused(&format!("a@{domain}"));
    }
    assert_eq!(refused("a@localhost"), "has a domain without a dot");
    assert_eq!(refused(&format!("a@{}.org", "x".repeat(64))), "has a domain that is not valid");
}

#[test]
fn lengths_are_those_of_smtp() {
    assert_eq!(canonical(&format!("{}@example.org", "a".repeat(64))).len(), 76);
    assert_eq!(refused(&format!("{}@example.org", "a".repeat(65))), "has more than 64 characters before the @");
    let label = "b".repeat(60);
    let domain = format!("{label}.{label}.{label}.org");
    let longest = format!("{}@{domain}", "a".repeat(254 - domain.len() - 1 - 3));
    assert!(longest.len() <= 254, "the sample itself fits");
    canonical(&longest);
    assert_eq!(refused(&format!("{}@{label}.{domain}", "a".repeat(10))), "is longer than 254 characters");
    assert_eq!(refused(&format!("a@{}", "b.".repeat(100_000))), "is longer than 254 characters");
}

#[test]
fn dots_before_the_at_stand_between_other_characters() {
    for text in [".a@example.org", "a.@example.org", "a..b@example.org"] {
        assert_eq!(refused(text), "has a misplaced dot before the @");
    }
}

#[test]
fn printing_an_address_hides_it() {
    assert_eq!(format!("{:?}", Email::parse("anna@example.org").unwrap()), "Email(…)");
}

proptest! {
    /// AC-110: no text makes the parser fail, and what it accepts is a fixed point.
    ///
    /// ASVS V1.1.1
    #[test]
    fn any_text_is_refused_or_becomes_a_stable_form(text in "\\PC{0,40}|[a-zA-Z.\"\u{131}-]{0,8}@?[a-zA-Zäßπ\u{456}.-]{0,12}@?\\PC{0,4}") {
        if let Ok(email) = Email::parse(&text) {
            prop_assert_eq!(&Email::parse(email.as_str()).unwrap(), &email);
            prop_assert!(email.as_str().is_ascii());
            prop_assert_eq!(email.as_str().matches('@').count(), 1);
            prop_assert!(!email.as_str().bytes().any(|b| b.is_ascii_uppercase() || b.is_ascii_control() || b == b' '));
            prop_assert_eq!(format!("{}@{}", email.local_part(), email.domain()), email.as_str());
        }
    }

    #[test]
    fn bytes_of_any_kind_do_no_harm(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = Email::parse(&String::from_utf8_lossy(&bytes));
    }

    /// AC-112: no `xn--` label has a second spelling.
    #[test]
    fn any_encoded_label_is_refused_or_is_its_own_canonical_form(label in "xn--[a-z0-9-]{1,12}") {
        if let Ok(email) = Email::parse(&format!("a@{label}.org")) {
            prop_assert_eq!(email.domain(), format!("{label}.org"));
            let (unicode, valid) = idna::domain_to_unicode(email.domain());
            prop_assert!(valid.is_ok() && !unicode.is_ascii());
            prop_assert_eq!(Email::parse(&format!("a@{unicode}")).unwrap(), email);
        }
    }

    #[test]
    fn case_makes_no_other_address(local in "[a-zA-Z0-9]{1,10}(\\.[a-zA-Z]{1,5})?", domain in "[a-zA-Zа-яё]{1,10}\\.[a-zA-Z]{2,5}") {
        let text = format!("{local}@{domain}");
        let parsed = Email::parse(&text);
        prop_assume!(parsed.is_ok());
        prop_assert_eq!(Email::parse(&text.to_uppercase()), parsed.clone());
        prop_assert_eq!(Email::parse(&text.to_lowercase()), parsed);
    }
}
