//! Usernames.

use proptest::prelude::*;
use userd_model::Username;

fn name(text: &str) -> Username {
    Username::parse(text).unwrap_or_else(|detail| panic!("{text:?} is refused: {detail}"))
}

fn refused(text: &str) -> &'static str {
    Username::parse(text).err().unwrap_or_else(|| panic!("{text:?} is accepted"))
}

#[test]
fn names_of_many_languages_are_welcome() {
    for text in [
        "anna",
        "Anna_2",
        "a.b-c_d",
        "жанна",
        "Ёлка-2026",
        "Ελένη",
        "محمد",
        "משה",
        "राहुल",
        "สมชาย",
        "山田太郎",
        "さくら",
        "김철수",
        "josé",
        "Ğülşen",
        "2pac",
    ] {
        assert_eq!(name(text).as_str(), text);
    }
}

#[test]
fn the_display_form_is_kept_and_the_canonical_form_is_folded() {
    let username = name("Anna.Petrova");
    assert_eq!(username.as_str(), "Anna.Petrova");
    assert_eq!(username.canonical(), "anna.petrova");
    assert_eq!(name("STRASSE").canonical(), name("straße").canonical());
    assert_eq!(name("ΟΔΟΣ").canonical(), name("οδος").canonical());
    assert_eq!(name("cafe\u{301}").as_str(), "caf\u{e9}");
}

#[test]
fn length_counts_characters_and_not_bytes() {
    assert_eq!(refused("ab"), "must have 3 to 32 characters");
    assert_eq!(refused(""), "must have 3 to 32 characters");
    assert_eq!(refused(&"ж".repeat(33)), "must have 3 to 32 characters");
    assert_eq!(refused(&"x".repeat(1_000_000)), "must have 3 to 32 characters");
    name(&"ж".repeat(32));
    name("abc");
}

#[test]
fn separators_stand_alone_between_letters_and_digits() {
    for text in ["_anna", ".anna", "-anna", "anna_", "anna.", "anna-", "an__na", "an.-na", "...", "___"] {
        refused(text);
    }
}

#[test]
fn a_username_never_looks_like_an_address_or_holds_other_signs() {
    assert_eq!(refused("anna@example.org"), "must not contain @");
    for text in [
        "an na",
        "an\tna",
        "an\nna",
        "an/na",
        "an\\na",
        "<anna>",
        "anna'",
        "anna\"",
        "an%6ea",
        "an:na",
        "anna\u{FF20}x",
        "anna💥",
        "+anna",
        "an+na",
        "a·b·c",
        "№123",
    ] {
        refused(text);
    }
}

/// AC-111: a homograph of an existing name in another alphabet, or with letters of two.
#[test]
fn a_homograph_collides_or_is_refused() {
    // Cyrillic а, о, р among Latin letters.
    for text in ["\u{430}dmin", "r\u{43e}\u{43e}t", "\u{440}aypal", "alic\u{435}", "\u{3bf}scar", "ivan\u{430}"] {
        assert_eq!(refused(text), "must not mix letters of different alphabets", "{text:?}");
    }
    // A whole name of Cyrillic letters that look Latin.
    assert_eq!(name("\u{440}\u{430}\u{443}\u{440}").skeleton(), name("payp").skeleton());
    assert_eq!(name("\u{441}\u{43e}\u{440}\u{435}").skeleton(), name("cope").skeleton());
    // Within one alphabet.
    for (one, other) in
        [("paypal", "paypa1"), ("paypal", "paypaI"), ("modern", "modem"), ("bob123", "b0b123"), ("O0O0", "oooo")]
    {
        assert_eq!(name(one).skeleton(), name(other).skeleton(), "{one} and {other}");
    }
    // Different alphabets in general stay different.
    assert_ne!(name("жанна").skeleton(), name("zhanna").skeleton());
    assert_ne!(name("anna").skeleton(), name("anne").skeleton());
    assert_ne!(name("anna_b").skeleton(), name("anna.b").skeleton());
}

/// AC-111: zero-width characters, text direction and compatibility forms.
#[test]
fn invisible_and_compatibility_characters_are_refused() {
    for text in [
        "an\u{200B}na",
        "an\u{200C}na",
        "an\u{200D}na",
        "anna\u{FEFF}",
        "\u{202E}anna",
        "an\u{AD}na",
        "an\u{2060}na",
        "an\u{34F}na",
        "an\u{180E}na",
        "ａnna",
        "𝐚nna",
        "ﬁnn",
        "an\u{3164}na",
        "an\u{FE0F}na",
        "\u{301}anna",
    ] {
        refused(text);
    }
}

/// AC-111: a case variant of an existing name.
///
/// AC-021: a counter keyed by the canonical form is not evaded by case or Unicode form.
#[test]
fn case_and_unicode_form_make_no_other_name() {
    for (one, other) in [
        ("Anna", "aNNA"),
        ("ЖАННА", "жанна"),
        ("LIAM", "liam"),
        ("caf\u{e9}", "CAFE\u{301}"),
        ("kıvanc", "KIVANC"),
        ("Σοφός", "ΣΟΦΌΣ"),
    ] {
        let (one, other) = (name(one), name(other));
        assert_eq!(one.canonical(), other.canonical());
        assert_eq!(one.skeleton(), other.skeleton());
    }
    assert_eq!(name("LIAM").skeleton(), name("liam").skeleton());
}

#[test]
fn digits_of_two_kinds_are_not_mixed() {
    refused("محمد1٢");
    name("محمد١٢");
    name("محمد12");
}

#[test]
fn names_that_speak_for_the_service_are_reserved() {
    for text in [
        "admin",
        "Admin",
        "ADMIN",
        "adm1n",
        "root",
        "r00t",
        "support",
        "Support",
        "system",
        "users",
        "поддержка",
        "Админ",
        "no-reply",
    ] {
        assert!(name(text).is_reserved(), "{text}");
    }
    for text in ["anna", "administratrix", "rooter", "жанна"] {
        assert!(!name(text).is_reserved(), "{text}");
    }
}

#[test]
fn a_stored_name_is_a_plain_string() {
    let username = name("Anna");
    assert_eq!(serde_json::to_string(&username).unwrap(), "\"Anna\"");
    assert_eq!(serde_json::from_str::<Username>("\"Anna\"").unwrap(), username);
    assert_eq!(Username::stored("Anna".to_owned()), username);
}

/// (fault 31)
#[test]
fn white_space_around_a_name_is_not_part_of_it() {
    for text in [" anna", "anna ", "\tanna\r\n", "\u{a0}anna\u{2003}", "anna\u{3000}"] {
        assert_eq!(name(text).as_str(), "anna", "{text:?}");
    }
    assert_eq!(refused("   "), "must have 3 to 32 characters");
    assert_eq!(refused(" a "), "must have 3 to 32 characters");
    assert_eq!(refused("anna\u{200B}"), "may have letters, digits, and _ . - between them");
}

/// AC-111: a dot above a letter that has one is not seen. (fault 31)
#[test]
fn a_second_dot_makes_no_other_name() {
    for (one, other) in [
        ("irina", "i\u{307}rina"),
        ("irina", "iri\u{307}\u{307}na"),
        ("irina", "İRİNA"),
        ("irina", "ı\u{307}rına"),
        ("julia", "j\u{307}ulia"),
        ("bill", "bil\u{307}l\u{307}"),
        ("bįll", "bį\u{307}ll"),
        ("bịll", "bị\u{307}ll"),
    ] {
        assert_eq!(name(one).skeleton(), name(other).skeleton(), "{one} and {other}");
    }
    // The dot is no mark of Cyrillic.
    for text in ["\u{456}\u{307}ван", "\u{458}\u{307}аја"] {
        assert_eq!(refused(text), "must not mix letters of different alphabets", "{text:?}");
    }
    // A dot that is seen makes another name.
    for (one, other) in [("cena", "ċena"), ("zoe", "żoe"), ("bíll", "bi\u{301}\u{307}ll")] {
        assert_ne!(name(one).skeleton(), name(other).skeleton(), "{one} and {other}");
    }
    assert!(name("admi\u{307}n").is_reserved());
}

proptest! {
    /// (fault 31)
    #[test]
    fn a_dot_above_a_dotted_letter_changes_no_skeleton(
        before in "[a-z]{0,4}",
        letter in "[ijıİ]",
        below in "[\u{323}\u{328}]?",
        dots in "\u{307}{1,3}",
        after in "[a-z]{2,6}",
    ) {
        let plain = Username::parse(&format!("{before}{letter}{below}{after}"));
        let dotted = Username::parse(&format!("{before}{letter}{below}{dots}{after}"));
        if let (Ok(plain), Ok(dotted)) = (plain, dotted) {
            prop_assert_eq!(plain.skeleton(), dotted.skeleton());
        }
    }

    /// (fault 31)
    #[test]
    fn white_space_around_changes_nothing(space in "[ \t\n\u{a0}\u{2003}]{0,3}", text in "[a-zA-Zа-я]{1,8}") {
        prop_assert_eq!(Username::parse(&format!("{space}{text}{space}")), Username::parse(&text));
    }

    /// ASVS V1.1.1
    #[test]
    fn any_text_is_refused_or_becomes_a_stable_form(text in "\\PC{0,36}|[a-zA-Zа-яßſıİΣσς0-9_.-]{0,12}|\\p{L}{3,8}") {
        if let Ok(username) = Username::parse(&text) {
            prop_assert_eq!(&Username::parse(username.as_str()).unwrap(), &username);
            let canonical = Username::parse(&username.canonical()).unwrap();
            prop_assert_eq!(canonical.as_str(), canonical.canonical());
            prop_assert_eq!(canonical.canonical(), username.canonical());
            prop_assert_eq!(canonical.skeleton(), username.skeleton());
            prop_assert!(!username.as_str().contains(['@', ' ', '\0', '/', '+']));
        }
    }

    /// AC-111: case variants are one name.
    #[test]
    fn upper_and_lower_case_are_one_name(text in "[a-zA-Z]{3,12}|[а-яёА-ЯЁ]{3,12}|[α-ωΑ-Ω]{3,12}|[a-zß]{3,12}") {
        let Ok(username) = Username::parse(&text) else { return Ok(()) };
        for variant in [text.to_uppercase(), text.to_lowercase()] {
            if let Ok(variant) = Username::parse(&variant) {
                prop_assert_eq!(variant.canonical(), username.canonical());
                prop_assert_eq!(variant.skeleton(), username.skeleton());
            }
        }
    }
}
