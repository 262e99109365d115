//! What is sent: `userd webhooks`, `deliveries`, `notifications`, `mail` and `templates`.

use std::{fs, path::Path};

use crate::Folder;

#[test]
fn a_webhook_is_made_tried_and_removed() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    let refused = folder.userd("webhooks create http://127.0.0.1:1/ --event no.such");
    assert_eq!(refused.code, 2, "{}", refused.stderr);
    assert!(refused.stderr.contains("url: must begin with https://"), "{}", refused.stderr);
    assert!(refused.stderr.contains("events/0: no event is of this type"), "{}", refused.stderr);
    let inside = "--json --set webhooks.allow_private_addresses=true --set webhooks.allow_http=true";
    let made = folder.userd(&format!("{inside} webhooks create http://127.0.0.1:1/hooks --event user.*"));
    assert_eq!(made.code, 0, "{}", made.stderr);
    let made: serde_json::Value = serde_json::from_str(&made.stdout).unwrap();
    assert!(made["secret"].as_str().unwrap().starts_with("whsec_"));
    let id = made["id"].as_str().unwrap();
    let listed = folder.userd("webhooks list").stdout;
    assert!(listed.contains(id) && listed.contains("user.*") && !listed.contains("whsec_"), "{listed}");
    for (line, code, word) in [
        (format!("{inside} webhooks test {id}"), 1, "unavailable"),
        (format!("webhooks test {id}"), 1, "refused"),
        (format!("webhooks rotate-secret {id}"), 0, "whsec_"),
        (format!("webhooks rotate-secret {id} --signature v1a"), 0, "whpk_"),
        (format!("webhooks rotate-secret {id} --signature v2"), 2, ""),
        (format!("webhooks resend {id} --from 2026-01-01T00:00:00Z"), 0, "0 events are on their way"),
        (format!("webhooks resend {id} --from yesterday"), 2, ""),
        (format!("webhooks resend {id} --from 2026-01-02T00:00:00Z --to 2026-01-01T00:00:00Z"), 2, ""),
        ("deliveries resend 0197f9c2-0000-7000-8000-000000000000".to_owned(), 1, ""),
        (format!("webhooks remove {id}"), 0, "is removed"),
        (format!("webhooks remove {id}"), 1, ""),
        ("webhooks remove shop".to_owned(), 2, ""),
    ] {
        let said = folder.userd(&line);
        assert_eq!(said.code, code, "{line}: {}", said.stderr);
        assert!(said.stdout.contains(word), "{line}: {}", said.stdout);
    }
}

/// What services send to users, an operator sends with one command, and asks what became of it.
#[test]
fn a_notification_is_sent_and_shown() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    let made = folder.userd("--json users create --username anna");
    let user: serde_json::Value = serde_json::from_str(&made.stdout).unwrap();
    let user = user["id"].as_str().unwrap();
    let send = format!(
        "notifications send --user {user} --category news --title Hello --title-ru Привет --body Look --body-ru Смотри"
    );
    let sent = folder.userd(&format!("--json {send} --channel inbox"));
    assert_eq!(sent.code, 0, "{}", sent.stderr);
    let sent: serde_json::Value = serde_json::from_str(&sent.stdout).unwrap();
    assert_eq!(sent["recipients"], 1, "{sent}");
    let id = sent["id"].as_str().unwrap();
    let shown = folder.userd(&format!("notifications show {id}"));
    assert_eq!(shown.code, 0, "{}", shown.stderr);
    assert!(shown.stdout.contains(id) && shown.stdout.contains("inbox"), "{}", shown.stdout);
    assert!(!shown.stdout.contains("Hello"), "what it says is its reader's");
    for (line, code, word) in [
        ("notifications send --role no.such --title a --body b".to_owned(), 2, "role"),
        ("notifications send --title a --body b".to_owned(), 2, "--all"),
        (format!("notifications send --all --user {user} --title a --body b"), 2, "--all"),
        (format!("{send} --channel pigeon"), 2, "channels"),
        (format!("{send} --not-before tomorrow"), 2, "tomorrow is no time"),
        (format!("notifications send --user {user} --title a --title-ru b --body c"), 2, "--body-ru"),
        ("notifications show 0197f9c2-0000-7000-8000-000000000000".to_owned(), 1, ""),
        ("mail open 0197f9c2-0000-7000-8000-000000000000".to_owned(), 1, "there is no mail"),
    ] {
        let said = folder.userd(&line);
        assert_eq!(said.code, code, "{line}: {}", said.stderr);
        assert!(said.stderr.contains(word), "{line}: {}", said.stderr);
    }
}

/// Nothing else is needed to see and try what messages say: no configuration, no database.
#[test]
fn templates_are_listed_shown_and_tried() {
    let folder = Folder::new()
        .with("good/new_device.ru.yaml", "subject: Вход\nblocks:\n  - text: '{{ device }}'\n")
        .with("bad/new_device.ru.yaml", "subject: Вход\nblocks:\n  - text: '{{ nobody }}'\n");
    let listed = folder.userd("templates list --json");
    let messages: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    assert!(messages.as_array().unwrap().iter().any(|message| message["name"] == "new_device"), "{messages}");
    assert!(folder.userd("templates list").stdout.contains("[device]"));
    let shown = folder.userd("templates preview new_device --locale ru-RU");
    assert!(shown.stdout.contains("29 ноября 2026"), "{}", shown.stdout);
    assert!(folder.userd("templates preview new_device --form html").stdout.starts_with("<!doctype html>"));
    let own = folder.userd("templates preview new_device --locale ru --folder good");
    assert_eq!(own.stdout.trim(), "Firefox, Linux");
    assert_eq!(folder.userd("templates check good").code, 0);
    let bad = folder.userd("templates check bad");
    assert_eq!(bad.code, 2);
    assert!(bad.stderr.contains("new_device.ru.yaml: ") && bad.stderr.contains("nobody"), "{}", bad.stderr);
    assert_eq!(folder.userd("templates preview new_devise").code, 2);
    // Not at a terminal nothing is opened: the path is said, and the page is there.
    let opened = folder.userd("templates preview new_device --locale ru --open");
    let path = Path::new(opened.stdout.trim());
    assert!(fs::read_to_string(path).unwrap().contains("29 ноября 2026"), "{}", opened.stderr);
    fs::remove_dir_all(path.parent().unwrap()).unwrap();
    assert_eq!(folder.userd("templates preview new_device --open --form text").code, 2);
    // The check of the configuration reads them too.
    assert_eq!(folder.userd("--set mail.templates=good config check").code, 0);
    for (name, words) in [("bad", "new_device.ru.yaml: "), ("nowhere", "the folder cannot be read")] {
        let said = folder.userd(&format!("--set mail.templates={name} config check"));
        assert_eq!(said.code, 2, "{name}: {}", said.stdout);
        assert!(said.stderr.contains("mail.templates: ") && said.stderr.contains(words), "{name}: {}", said.stderr);
    }
    assert_eq!(folder.files(), ["bad/new_device.ru.yaml", "good/new_device.ru.yaml"], "nothing is made");
}
