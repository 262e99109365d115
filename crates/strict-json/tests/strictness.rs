//! What is refused, what is wrong with it and where, and that everything else is read as serde_json reads it.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use proptest::prelude::*;
use serde_json::{Value, json};
use userd_strict_json::{Fault, MAX_DEPTH, Refused, check, object, value};

fn fault(text: &str) -> Option<Fault> {
    check(text.as_bytes()).err().map(|refused| refused.fault)
}

fn nested(depth: usize) -> String {
    format!("{}{}", "[".repeat(depth), "]".repeat(depth))
}

#[test]
fn an_unambiguous_text_is_read_whole() {
    let text = br#"{"a":{"b":[1,-2,2.5,{"c":null}],"a":true},"\u00e9\n":"\ud83d\ude00","n":18446744073709551615}"#;
    let read = json!({"a":{"b":[1,-2,2.5,{"c":null}],"a":true},"\u{e9}\n":"\u{1f600}","n":u64::MAX});
    assert_eq!(value(text), Ok(read.clone()));
    assert_eq!(object(text).map(Value::Object), Ok(read));
    assert_eq!(value(b" [] "), Ok(json!([])));
}

/// ASVS V1.5.3
#[test]
fn a_member_that_occurs_twice_is_refused_however_it_is_written() {
    for text in [r#"{"a":1,"a":1}"#, r#"{"x":{"a":1,"\u0061":2}}"#, r#"[{"":1,"":2}]"#, r#"{"\u0061":1,"a":2}"#] {
        assert_eq!(fault(text), Some(Fault::Duplicate), "{text}");
    }
    assert_eq!(fault(r#"[{"a":1},{"a":{"a":2}}]"#), None, "each object has names of its own");
}

#[test]
fn nesting_ends_at_32_levels() {
    assert_eq!(fault(&nested(usize::from(MAX_DEPTH))), None);
    for depth in [33, 127, 100_000] {
        assert_eq!(fault(&nested(depth)), Some(Fault::TooDeep), "{depth}");
    }
    let objects = format!("{}1{}", r#"{"a":"#.repeat(33), "}".repeat(33));
    assert_eq!(fault(&objects), Some(Fault::TooDeep));
}

#[test]
fn a_number_that_would_be_rounded_is_refused() {
    for text in ["18446744073709551616", "-18446744073709551616", "1e20", "[-1e300]"] {
        assert_eq!(fault(text), Some(Fault::TooBig), "{text}");
    }
    for text in ["18446744073709551615", "-9223372036854775808", "1e19", "0.1", "1e-400"] {
        assert_eq!(fault(text), None, "{text}");
    }
}

#[test]
fn what_is_not_json_is_refused() {
    for text in
        ["", "{", "{}{}", r#"{"a":NaN}"#, "{\"a\":1e400}", r#"["\ud800"]"#, "[1,]", "{a:1}", "[] x", "\u{feff}[]"]
    {
        assert_eq!(fault(text), Some(Fault::NotJson), "{text}");
    }
    assert_eq!(check(b"{\"a\":\"\xff\"}").unwrap_err().fault, Fault::NotUtf8);
    for text in ["[]", "null", "\"text\"", "1"] {
        assert_eq!(object(text.as_bytes()).unwrap_err().fault, Fault::NotAnObject, "{text}");
    }
}

/// The parser's own marks would have it read a text within a text, unchecked.
#[test]
fn marks_of_the_parser_are_refused() {
    for text in [
        r#"{"$serde_json::private::RawValue":"{\"a\":1,\"a\":2}"}"#,
        r#"{"a":[{"\u0024serde_json::private::Number":"1"}]}"#,
    ] {
        assert_eq!(check(text.as_bytes()).unwrap_err().fault, Fault::NotJson, "{text}");
    }
}

#[test]
fn a_refusal_says_where_and_shows_nothing_of_the_text() {
    let refused = check(b"{\"password\":\"secret\",\n \"password\":\"secret\"}").unwrap_err();
    assert_eq!((refused.fault, refused.line), (Fault::Duplicate, 2));
    assert_eq!(Refused { column: 7, ..refused }.to_string(), "a member occurs twice at line 2 column 7");
    assert!(!format!("{refused:?}").contains("secret"));
}

proptest! {
    /// ASVS V1.5.2
    #[test]
    fn any_bytes_are_read_or_refused(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        text in "[\\[\\]{}\",:0-9a-e\\\\]{0,60}",
    ) {
        for bytes in [bytes.as_slice(), text.as_bytes()] {
            let Ok(read) = value(bytes) else { continue };
            prop_assert_eq!(serde_json::from_slice::<Value>(bytes).unwrap(), read);
        }
    }
}
