//! Free text, field by field.

use proptest::prelude::*;
use serde_json::{Map, Value, json};
use userd_model::text;

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(object) => object,
        other => panic!("not an object: {other}"),
    }
}

#[test]
fn a_display_name_is_trimmed_and_composed() {
    assert_eq!(text::display_name("  Anna Petrova ").unwrap(), "Anna Petrova");
    assert_eq!(text::display_name("Andre\u{301}").unwrap(), "Andr\u{e9}");
    for name in ["Жанна д'Арк", "O'Neill & <Sons>", "👩‍👩‍👧 family", "می‌خواهم", "❤️", "X"]
    {
        assert_eq!(text::display_name(name).unwrap(), name);
    }
}

/// AC-119: a line break in a name on its way into a mail header.
///
/// ASVS V1.3.11
#[test]
fn a_name_has_no_line_breaks_or_control_characters() {
    for name in [
        "Anna\r\nBcc: all@example.org",
        "Anna\nX",
        "Anna\0",
        "An\u{1b}[31mna",
        "Anna\u{2028}X",
        "Anna\u{85}X",
        "An\tna",
    ] {
        assert!(text::display_name(name).is_err(), "{name:?}");
        assert!(text::device_name(name).is_err(), "{name:?}");
    }
}

#[test]
fn a_name_can_be_seen_and_runs_in_one_direction() {
    for name in [
        "",
        "   ",
        "\u{200D}",
        "\u{200C}\u{200D}",
        "\u{3164}",
        "\u{2800}\u{2800}",
        "\u{FE0F}",
        "\u{301}",
        "ann\u{202E}a",
        "\u{2066}anna",
        "an\u{200B}na",
        "anna\u{E0041}",
        "\u{FEFF}anna",
        &format!("a{}", "\u{30D}".repeat(9)),
    ] {
        assert!(text::display_name(name).is_err(), "{name:?}");
    }
}

/// ASVS V1.3.3
#[test]
fn lengths_count_characters() {
    assert!(text::display_name(&"ж".repeat(100)).is_ok());
    assert!(text::display_name(&"ж".repeat(101)).is_err());
    assert!(text::display_name(&"x".repeat(10_000_000)).is_err());
    assert!(text::device_name(&"x".repeat(100)).is_ok());
    assert!(text::device_name(&"x".repeat(101)).is_err());
    assert!(text::reason(&"ж".repeat(500)).is_ok());
    assert!(text::reason(&"ж".repeat(501)).is_err());
    assert!(text::title(&"ж".repeat(200)).is_ok());
    assert!(text::title(&"ж".repeat(201)).is_err());
}

/// What is much too long is not read at all, whatever would be left of it; short of that, what is trimmed does not count.
#[test]
fn what_is_much_too_long_is_refused_as_it_comes() {
    type Check = fn(&str) -> Result<String, &'static str>;
    let checks: [(Check, usize); 4] =
        [(text::display_name, 100), (text::device_name, 100), (text::title, 200), (text::reason, 500)];
    for (check, most) in checks {
        let padded = |bytes: usize| format!("{:bytes$}", "x".repeat(most));
        assert_eq!(check(&padded(most * 8)), Ok("x".repeat(most)), "{most}");
        assert_eq!(check(&padded(most * 8 + 1)), check(&"x".repeat(most + 1)), "{most}");
        assert!(check(&padded(most * 80)).is_err(), "{most}");
    }
}

#[test]
fn a_reason_may_have_several_lines() {
    assert_eq!(text::reason(" I need it.\r\nFor work. \n").unwrap(), "I need it.\nFor work.");
    assert!(text::reason("\n \r\n").is_err());
    assert!(text::reason("a\0b").is_err());
    assert!(text::reason("a\rb").is_err());
}

/// Whatever a stranger writes becomes a name that could have been typed here, or nothing (fault 18).
#[test]
fn a_strangers_line_is_mended_and_never_refused() {
    let long = "x".repeat(5000);
    let stacked = format!("a{}b", "\u{301}".repeat(500));
    for (given, shown) in [
        ("Ada", Some("Ada")),
        (" Ada\n\u{0}Lovelace\t", Some("Ada  Lovelace")),
        ("\u{202e}adA\u{2066}\u{200b}", Some("adA")),
        ("\u{202e}\u{200b}\u{feff}", None),
        ("", None),
        (&long, Some(&long[..100])),
    ] {
        assert_eq!(text::shown(given, 100).as_deref(), shown, "{given:?}");
    }
    for given in [stacked, "\u{301}".repeat(50), format!("{}\u{0}", "я".repeat(200)), "🏳\u{fe0f}\u{200d}🌈".repeat(40)]
    {
        if let Some(line) = text::shown(&given, 100) {
            assert_eq!(text::display_name(&line).as_ref(), Ok(&line), "{given:?}");
        }
    }
}

#[test]
fn a_user_agent_is_shortened_and_never_refused() {
    assert_eq!(text::user_agent("curl/8.5.0").as_deref(), Some("curl/8.5.0"));
    assert_eq!(text::user_agent("a\u{1b}[31m\r\nb\u{202E}").as_deref(), Some("a[31mb"));
    assert_eq!(text::user_agent(&"x".repeat(1000)).unwrap().len(), 256);
    assert_eq!(text::user_agent(" \0 "), None);
}

#[test]
fn a_locale_is_a_well_formed_language_tag_in_its_usual_case() {
    for (typed, kept) in [
        ("ru", "ru"),
        ("EN-us", "en-US"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("sr-LATN", "sr-Latn"),
        ("es-419", "es-419"),
        ("sl-rozaj-biske", "sl-rozaj-biske"),
        ("de-CH-1901", "de-CH-1901"),
        ("zh-cmn-Hans-CN", "zh-cmn-Hans-CN"),
        ("en-u-ca-gregory-nu-latn", "en-u-ca-gregory-nu-latn"),
        ("de-x-foo-AB", "de-x-foo-ab"),
        ("fil", "fil"),
    ] {
        assert_eq!(text::locale(typed).unwrap(), kept);
    }
    for typed in [
        "",
        "r",
        "ru_RU",
        "ru-",
        "-ru",
        "ru--RU",
        "english",
        "ru-RU-RU",
        "en-a",
        "en-u",
        "en-x",
        "x-private",
        "i-klingon",
        "de-1901-1901",
        "en-u-ca-u-nu",
        "ру",
        "en-US.UTF-8",
        "en US",
        "123",
        "en-u-ca-gregory-nu-latn-x-abcdefgh-ij",
    ] {
        assert!(text::locale(typed).is_err(), "{typed:?}");
    }
}

/// Each is wrong in one thing only, with every length lawful (fault 38).
#[test]
fn a_locale_is_letters_and_digits_in_parts_of_one_to_eight() {
    for typed in ["en-x-a.b", "en-x-a_b", "en-x-\u{e9}", "en-x-a b", "en-x-a+b", "en-x-a\0", "en-u-ca-gr'gory"] {
        assert!(text::locale(typed).is_err(), "{typed:?}");
    }
    assert!(text::locale("en-x-abcdefgh").is_ok());
    assert!(text::locale("en-x-abcdefghi").is_err());
    assert_eq!(text::locale("en-u-ca-gregory-nu-latn-x-abcdefgh").unwrap().len(), 34);
    assert_eq!(text::locale("en-u-ca-gregory-nu-latn-x-abcdefg-a").unwrap().len(), 35);
    assert!(text::locale("en-u-ca-gregory-nu-latn-x-abcdefg-ab").is_err(), "36 characters");
}

#[test]
fn a_time_zone_is_one_of_the_iana_names() {
    assert_eq!(text::time_zone("Europe/Moscow").unwrap(), "Europe/Moscow");
    assert_eq!(text::time_zone("europe/moscow").unwrap(), "Europe/Moscow");
    assert_eq!(text::time_zone("UTC").unwrap(), "UTC");
    assert_eq!(text::time_zone("America/Argentina/Buenos_Aires").unwrap(), "America/Argentina/Buenos_Aires");
    for name in
        ["", "Moscow", "+03:00", "Europe/Moscow ", "../../etc/passwd", "/etc/localtime", "Europe/Mosc\u{43e}w", "MSK+3"]
    {
        assert!(text::time_zone(name).is_err(), "{name:?}");
    }
}

#[test]
fn attributes_are_any_json_within_bounds() {
    let fine = object(json!({"theme": "dark", "tags": ["a", 1, null, true, 1.5], "deep": {"a": {"b": []}}}));
    assert_eq!(text::attributes(&fine), Ok(()));
    assert_eq!(text::attributes(&Map::new()), Ok(()));
}

/// ASVS V1.3.3
#[test]
fn attributes_have_bounded_number_size_depth_and_keys() {
    let members = |count: usize| (0..count).map(|n| (format!("k{n}"), Value::Null)).collect::<Map<_, _>>();
    assert!(text::attributes(&members(64)).is_ok());
    assert!(text::attributes(&members(65)).is_err());

    let sized = |bytes: usize| object(json!({"k": "x".repeat(bytes - r#"{"k":""}"#.len())}));
    assert!(text::attributes(&sized(16 * 1024)).is_ok());
    assert!(text::attributes(&sized(16 * 1024 + 1)).is_err());

    let nested = |levels: usize| object((0..levels).fold(json!(0), |inner, _| json!({"k": inner})));
    assert!(text::attributes(&nested(8)).is_ok());
    assert!(text::attributes(&nested(9)).is_err());
    let arrays = |levels: usize| object(json!({"k": (1..levels).fold(json!(0), |inner, _| json!([inner]))}));
    assert!(text::attributes(&arrays(8)).is_ok());
    assert!(text::attributes(&arrays(9)).is_err());

    assert!(text::attributes(&object(json!({"ж".repeat(64): 1}))).is_ok());
    assert!(text::attributes(&object(json!({"ж".repeat(65): 1}))).is_err());
    assert!(text::attributes(&object(json!({"": 1}))).is_err());
    assert!(text::attributes(&object(json!({"a": {"b\n": 1}}))).is_err());
}

#[test]
fn a_nul_in_attributes_is_refused_at_every_depth() {
    for value in [json!({"a": "b\0"}), json!({"a\0": 1}), json!({"a": ["\0"]}), json!({"a": {"b": {"c\0": 1}}})] {
        assert!(text::attributes(&object(value)).is_err());
    }
}

proptest! {
    #[test]
    fn any_text_is_refused_or_becomes_a_stable_form(input in "\\PC{0,40}|[ \\x00-\\x7f\u{300}-\u{310}\u{200b}-\u{202e}]{0,10}|[a-zA-Z0-9-]{0,20}") {
        for parse in [text::display_name, text::device_name, text::reason, text::locale, text::time_zone] {
            if let Ok(kept) = parse(&input) {
                prop_assert_eq!(parse(&kept), Ok(kept.clone()));
                prop_assert!(!kept.contains('\0') && !kept.contains('\r'));
            }
        }
        if let Some(kept) = text::user_agent(&input) {
            prop_assert_eq!(text::user_agent(&kept), Some(kept.clone()));
        }
    }
}

/// What is far longer than anything that would be kept is not looked at, white space around it included.
#[test]
fn input_is_bounded_before_it_is_read() {
    let padded = |text: String, bytes: usize| format!("{text}{}", " ".repeat(bytes - text.len()));
    for (parse, most) in [
        (text::display_name as fn(&str) -> Result<String, &'static str>, 800),
        (text::device_name, 800),
        (text::title, 1600),
        (text::reason, 4000),
    ] {
        let longest = "\u{1F980}".repeat(most / 8);
        assert_eq!(parse(&padded(longest.clone(), most)).as_ref(), Ok(&longest));
        assert!(parse(&padded(longest.clone(), most + 1)).is_err());
        assert!(parse(&format!("{longest}x")).is_err());
    }
}

#[test]
fn a_message_is_as_long_as_it_likes_and_has_lines() {
    assert_eq!(text::message(" a\r\nb \n").unwrap(), "a\nb");
    assert!(text::message(&"x".repeat(100_000)).is_ok());
    for text in ["", " \r\n", "a\u{202E}b", "a\0", "\u{200D}"] {
        assert!(text::message(text).is_err(), "{text:?}");
    }
}

/// Eight marks stand on one letter in scripts that are in use; more climb over their neighbours.
#[test]
fn marks_are_counted_on_each_letter() {
    let stacked = |count: usize| format!("a{}", "\u{30D}".repeat(count));
    assert!(text::display_name(&stacked(8)).is_ok());
    assert!(text::display_name(&format!("{0}{0}", stacked(8))).is_ok());
    assert!(text::display_name(&stacked(9)).is_err());
}

#[test]
fn a_separator_is_a_blank_or_a_dash() {
    for c in [' ', '\t', '\u{a0}', '-', '\u{2010}', '\u{2013}', '\u{2015}', '\u{2212}'] {
        assert!(text::is_separator(c), "{c:?}");
    }
    for c in ['0', 'a', '_', '.', '\u{200f}', '\u{2016}', '\u{2211}', '\u{2213}'] {
        assert!(!text::is_separator(c), "{c:?}");
    }
}
