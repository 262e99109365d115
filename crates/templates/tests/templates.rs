//! What messages say, in every form and language, and what an operator may change about it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::path::Path;

use userd_model::texts::Language;
use userd_templates::{Category, Kind, Reader, Rendered, Templates, Value, Values};

fn render(kind: Kind, language: Language, values: &Values) -> Rendered {
    Templates::built_in().unwrap().render(kind, values, &Reader { language, ..Reader::default() }).unwrap()
}

fn with_files(files: &[(&str, &str)]) -> Result<Templates, Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    Templates::with(Some(folder.path())).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

#[test]
fn every_message_says_something_in_every_language_and_form() {
    for (kind, language) in Kind::ALL.iter().flat_map(|kind| Language::ALL.map(|language| (*kind, language))) {
        let message = render(kind, language, &kind.sample(language));
        for form in [&message.subject, &message.text, &message.html, &message.telegram] {
            assert!(form.len() > 5 && !form.contains("{{") && !form.contains("{%"), "{kind:?} {language:?}: {form}");
        }
        let in_russian = message.text.chars().any(|c| ('а'..='я').contains(&c));
        assert_eq!(in_russian, language == Language::Russian, "{kind:?}: {}", message.text);
        assert!(message.html.starts_with("<!doctype html>") && message.html.contains("color-scheme"), "{kind:?}");
        for outside in ["<img", "<script", "<link", "src=", "@import", "url("] {
            assert!(!message.html.contains(outside), "{kind:?} loads something: {outside}");
        }
        assert!(message.telegram.encode_utf16().count() < 4096, "{kind:?}");
    }
}

/// What is told is told in each form: nobody misses the time or the link for reading plain text.
#[test]
fn the_forms_say_the_same() {
    for kind in Kind::ALL.iter().filter(|kind| kind.category() == Category::Security) {
        let message = render(*kind, Language::English, &kind.sample(Language::English));
        for form in [&message.text, &message.html, &message.telegram] {
            assert!(form.contains("29 November 2026") && form.contains("(UTC)"), "{kind:?}: {form}");
            if kind.values().contains(&"link") {
                assert!(form.contains("https://users.example.org/l/sample-of-a-link"), "{kind:?}: {form}");
            }
        }
        assert!(!kind.category().may_be_muted());
    }
}

/// Under a mail that may be stopped, in the reader's language and in any layout.
#[test]
fn a_mail_leads_to_where_its_kind_is_stopped() {
    let url: url::Url = "https://users.example.org/l/udl_stop?a=1&b=2".parse().unwrap();
    let bare =
        with_files(&[("layout.html", "<!doctype html>{{ body }}")]).unwrap_or_else(|faults| panic!("{faults:?}"));
    for (language, label) in [(Language::English, "Stop mails"), (Language::Russian, "Больше не получать")]
    {
        let (kind, reader) = (Kind::Message, Reader { language, ..Reader::default() });
        for templates in [&Templates::built_in().unwrap(), &bare] {
            let mail =
                templates.render(kind, &kind.sample(language), &reader).unwrap().with_unsubscribe(&url, language);
            assert!(mail.text.contains(label) && mail.text.ends_with(&format!("{url}\n")), "{}", mail.text);
            assert!(mail.html.contains(label) && mail.html.contains("udl_stop?a=1&amp;b=2\""), "{}", mail.html);
            assert!(!mail.telegram.contains(label));
        }
    }
}

/// AC-118: names with markup, template code, structure or addresses come out as the letters that they are.
/// ASVS V1.1.2, V1.3.5, V1.3.7
#[test]
fn what_people_chose_is_letters_in_every_form() {
    for hostile in [
        "<script>alert(1)</script>",
        "<b>bold</b> & \"quoted\"",
        "{{ link }} {% for x in range(9) %}x{% endfor %}",
        "]] - button: { label: x, url: https://evil.example }",
        "a\n  - button: { label: Evil, url: 'https://evil.example' }",
        "evil.example/login",
        "https://evil.example",
        "evil\u{3002}example",
        "\u{202e}elpmaxe.live\u{202c} /stop",
        "[evil](https://evil.example) *bold* `code`",
    ] {
        let words = Value::Words(hostile.to_owned());
        let values = Kind::NewDevice.sample(Language::English).with("device", words.clone()).with("site", words);
        let message = render(Kind::NewDevice, Language::English, &values);
        assert!(!message.html.contains("<script>alert") && !message.html.contains("<b>bold"), "{}", message.html);
        assert!(!message.telegram.contains("<script") && !message.telegram.contains("<b>bold"), "{}", message.telegram);
        assert_eq!(message.html.matches("class=\"button\"").count(), 1, "no button of theirs");
        assert_eq!(message.html.matches("href=").count(), 1);
        assert!(!message.subject.contains('\n'));
        for form in [&message.subject, &message.text, &message.html, &message.telegram] {
            assert!(!form.contains("evil.example") && !form.contains(" /stop"), "a client would link it: {form}");
            assert!(!form.contains('\u{202e}') && !form.contains("evil\u{3002}example"), "{form}");
            assert!(!form.contains("xxxxxxxxx"), "no template code of theirs runs: {form}");
        }
    }
}

#[test]
fn what_is_not_known_leaves_no_gap() {
    let values = Values::default()
        .with("site", Value::Words("users.example.org".into()))
        .with("at", Value::Moment(userd_model::Timestamp::from_seconds(0)))
        .with("link", Value::Link("https://users.example.org/l/x".parse().unwrap()))
        .with_words("device", None);
    let message = render(Kind::NewDevice, Language::English, &values);
    assert!(!message.text.contains("Device") && !message.text.contains("From"), "{}", message.text);
    let told = Values::default().with("title", Value::Words("Hello".into())).with("body", Value::Text("a\nb".into()));
    let message = render(Kind::Message, Language::English, &told);
    assert_eq!(message.text, "a\nb\n");
    assert!(message.html.contains("a<br>\nb") && !message.html.contains("href"), "{}", message.html);
}

#[test]
fn an_operators_file_takes_the_place_of_ours() {
    let templates = with_files(&[
        ("new_device.en.yaml", "subject: 'Hi from {{ site }}'\nblocks:\n  - text: 'At {{ at }}'\n"),
        ("layout.html", "<p>{{ subject }}</p>{{ body }}<hr>"),
    ])
    .unwrap();
    let values = Kind::NewDevice.sample(Language::English).with("site", Value::Words("A & B".into()));
    let message = templates.render(Kind::NewDevice, &values, &Reader::default()).unwrap();
    assert_eq!(message.subject, "Hi from A & B");
    assert_eq!(message.html, "<p>Hi from A &amp; B</p><p>At 29 November 2026, 14:03 (UTC)</p>\n<hr>");
    let reader = Reader { language: Language::Russian, ..Reader::default() };
    assert!(templates.render(Kind::NewDevice, &values, &reader).unwrap().subject.starts_with("Новый вход"));
}

/// Everything that is wrong is said at once, at the start, with the file.
#[test]
fn a_wrong_file_is_named() {
    let faults = with_files(&[
        ("new_device.en.yaml", "subject: x\nblocks:\n  - text: '{{ nobody }}'\n"),
        ("new_device.ru.yaml", "subject: x\nblocks:\n  - heading: y\n"),
        ("password_changed.en.yaml", "subject: x\nblocks: []\n"),
        ("password_changed.ru.yaml", "subject: x\nblocks:\n  - button: { label: x, url: 'javascript:alert(1)' }\n"),
        ("role_changed.ru.yaml", "subject: x\nblocks:\n  - text: '{% if granted %}x'\n"),
        ("new_devise.en.yaml", "subject: x\nblocks:\n  - text: x\n"),
        ("email_changed.de.yaml", "subject: x\nblocks:\n  - text: x\n"),
    ])
    .map(drop)
    .unwrap_err();
    for name in [
        "new_device.en.yaml",
        "new_device.ru.yaml",
        "password_changed.en.yaml",
        "password_changed.ru.yaml",
        "role_changed.ru.yaml",
        "new_devise.en.yaml",
        "email_changed.de.yaml",
    ] {
        assert!(faults.iter().any(|fault| fault.starts_with(&format!("{name}: "))), "{name} of {faults:#?}");
    }
    assert!(faults.iter().all(|fault| !fault.contains('\n')), "{faults:#?}");
    let gone = Templates::with(Some(Path::new("/nowhere/at/all"))).map(drop).unwrap_err();
    assert_eq!(gone.len(), 1);
}

/// A template reaches nothing but its values, and cannot run for ever.
#[test]
fn a_template_sees_its_values_only() {
    for code in [
        "{% include 'layout.html' %}",
        "{{ range(1000000000) }}",
        "{{ self }}",
        "{% import 'x' as y %}",
        "{{ language.__class__ }}",
    ] {
        let file = format!("subject: x\nblocks:\n  - text: \"{code}\"\n");
        assert!(with_files(&[("message.en.yaml", &file)]).is_err(), "{code}");
    }
}

/// AC-147: titles of any length and with line breaks are one short line.
#[test]
fn a_subject_is_one_short_line() {
    for title in ["a\r\nBcc: evil@example.org".to_owned(), "слово ".repeat(900), "x".repeat(16_384), "🙂".repeat(300)]
    {
        let values = Kind::Message.sample(Language::English).with("title", Value::Words(title));
        let message = render(Kind::Message, Language::English, &values);
        assert!(!message.subject.contains(['\r', '\n']), "{}", message.subject);
        assert!((1..=200).contains(&message.subject.chars().count()), "{}", message.subject);
    }
    let file = "subject: \"{{ body }}\"\nblocks:\n  - text: \"{{ title }}\"\n";
    let templates = with_files(&[("message.en.yaml", file)]).unwrap();
    let values = Kind::Message.sample(Language::English).with("body", Value::Text("one\ntwo".into()));
    let message = templates.render(Kind::Message, &values, &Reader::default()).unwrap();
    assert_eq!(message.subject, "one two", "an operator's template that puts lines there");
}

/// Telegram refuses what is longer than it takes; the link at the end is what must not be lost.
#[test]
fn a_long_message_fits_into_telegram() {
    let visible = |html: &str| {
        let mut inside = false;
        let text: String = html
            .chars()
            .filter(|c| {
                let shown = !inside && *c != '<';
                inside = *c == '<' || (inside && *c != '>');
                shown
            })
            .collect();
        text.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").encode_utf16().count()
    };
    for letter in ["x", "я", "🙂", "<", "&"] {
        let values = Kind::Message.sample(Language::Russian).with("body", Value::Text(letter.repeat(10_000)));
        let message = render(Kind::Message, Language::Russian, &values);
        assert!((4_080..=4_096).contains(&visible(&message.telegram)), "{letter}: {}", visible(&message.telegram));
        assert!(message.telegram.contains("https://shop.example.org/orders/17") && message.telegram.contains('…'));
        assert!(message.text.contains(&letter.repeat(10_000)), "a mail says all of it");
    }
    let fits = Kind::Message.sample(Language::English).with("body", Value::Text("x".repeat(4_000)));
    assert!(!render(Kind::Message, Language::English, &fits).telegram.contains('…'));
}

/// What happened, when, where, and what to do if it was somebody else.
#[test]
fn security_notices_say_what_people_need() {
    for (kind, language) in Kind::ALL.iter().flat_map(|kind| Language::ALL.map(|language| (*kind, language))) {
        if kind.category() != Category::Security {
            continue;
        }
        let named: Vec<_> = kind.values().iter().chain(kind.optional()).copied().collect();
        assert!(named.contains(&"at") && named.contains(&"site"), "{kind:?}");
        let done_by_others = matches!(kind, Kind::RoleChanged | Kind::AccountBlocked);
        assert!(done_by_others || ["address", "device", "link"].iter().all(|name| named.contains(name)), "{kind:?}");
        let message = render(kind, language, &kind.sample(language));
        for (name, sample) in
            [("address", "203.0.113.17"), ("device", "Firefox"), ("link", "https://users.example.org/l/")]
        {
            assert!(!named.contains(&name) || message.text.contains(sample), "{kind:?} {language:?}: {}", message.text);
        }
    }
}
