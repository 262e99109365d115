//! Phone numbers.

use proptest::prelude::*;
use userd_model::Phone;

#[test]
fn an_e164_number_is_kept_as_it_is() {
    let phone = Phone::parse("+79161234567").unwrap();
    assert_eq!(phone.as_str(), "+79161234567");
    assert_eq!(Phone::stored("+79161234567".to_owned()), phone);
    assert_eq!(phone.into_string(), "+79161234567");
}

#[test]
fn a_provider_may_leave_the_plus_out() {
    assert_eq!(Phone::parse_digits("79161234567"), Phone::parse("+79161234567"));
    assert_eq!(Phone::parse_digits("+79161234567"), Phone::parse("+79161234567"));
    assert!(Phone::parse("79161234567").is_err());
}

#[test]
fn whatever_is_no_e164_number_is_refused() {
    for text in [
        "",
        "+",
        "+1234567",
        "+1234567890123456",
        "+0123456789",
        "+7916123456a",
        "++79161234567",
        "+7 916 123 45 67",
        "+7916123456\u{667}",
        "+7916\n1234567",
        "+７９１６１２３４５６７",
    ] {
        assert!(Phone::parse(text).is_err(), "{text:?}");
        assert!(Phone::parse_digits(text).is_err(), "{text:?}");
    }
    assert!(Phone::parse("+12345678").is_ok());
    assert!(Phone::parse("+123456789012345").is_ok());
}

/// (fault 31)
#[test]
fn white_space_around_a_number_is_not_part_of_it() {
    for text in [" +79161234567", "+79161234567 ", "\t+79161234567\r\n", "\u{a0}+79161234567"] {
        assert_eq!(Phone::parse(text), Phone::parse("+79161234567"), "{text:?}");
        assert_eq!(Phone::parse_digits(text), Phone::parse("+79161234567"), "{text:?}");
    }
    assert_eq!(Phone::parse_digits(" 79161234567\n"), Phone::parse("+79161234567"));
}

#[test]
fn printing_a_number_hides_it() {
    assert_eq!(format!("{:?}", Phone::parse("+79161234567").unwrap()), "Phone(…)");
}

proptest! {
    #[test]
    fn any_text_is_refused_or_becomes_a_stable_form(text in "\\PC{0,20}|\\+?[0-9]{0,17}") {
        if let Ok(phone) = Phone::parse_digits(&text) {
            prop_assert_eq!(Phone::parse(phone.as_str()).unwrap(), phone.clone());
            prop_assert!((9..=16).contains(&phone.as_str().len()));
        }
    }
}
