//! `userd roles`.

use crate::Folder;

const FILE: &str = "\
permissions:
  - name: cms.write
    description: Write articles
roles:
  - name: editor
    permissions: [cms.write]
    requestable: true
    approvers: { roles: [approver] }
    notify: { random: 2 }
    escalate_after_seconds: 86400
    escalate_to: { roles: [admin] }
";

/// The same, in the configuration.
const INLINE: &str = "\
roles:
  permissions:
    - name: cms.write
      description: Write articles
  declared:
    - name: editor
      permissions: [cms.write]
      requestable: true
      approvers: { roles: [approver], users: [] }
      quorum: 1
      notify: random
      notify_count: 2
      escalate_after: 1d
      escalate_to: { roles: [admin] }
";

#[test]
fn roles_of_a_file_are_planned_applied_and_exported() {
    let folder = Folder::new().with("roles.yaml", FILE).with("wrong.yaml", "roles:\n  - nam: editor\n");
    assert_eq!(folder.userd("migrate up").code, 0);
    let planned = folder.userd("roles plan roles.yaml");
    assert_eq!(planned.code, 0, "{}", planned.stderr);
    assert!(
        planned.stdout.contains("add role editor")
            && planned.stdout.contains("+ permission cms.write")
            && planned.stdout.contains("+ role asked late admin")
            && planned.stdout.contains("notify: \"all\" -> {\"random\":2}"),
        "{}",
        planned.stdout
    );
    assert!(!folder.userd("roles list").stdout.contains("editor"), "a plan changes nothing");
    let applied = folder.userd("--json roles apply roles.yaml");
    assert_eq!(applied.code, 0, "{}", applied.stderr);
    let applied: serde_json::Value = serde_json::from_str(&applied.stdout).unwrap();
    assert_eq!(applied.as_array().unwrap().len(), 2, "{applied}");
    let listed = folder.userd("roles list").stdout;
    assert!(listed.contains("editor") && listed.contains("managed") && listed.contains("everything"), "{listed}");
    assert_eq!(folder.userd("roles plan roles.yaml").stdout.trim(), "Nothing differs.");
    folder.write("again.json", &folder.userd("roles export").stdout);
    let again = folder.userd("roles plan again.json");
    assert_eq!((again.code, again.stdout.trim()), (0, "Nothing differs."), "{}", again.stderr);
    // The configuration may name the file. Nothing of it is applied by itself.
    let nothing = folder.userd("roles plan");
    assert_eq!(nothing.code, 2, "{}", nothing.stderr);
    assert!(nothing.stderr.contains("roles.file"), "{}", nothing.stderr);
    let named = folder.userd("--set roles.file=roles.yaml roles plan");
    assert_eq!((named.code, named.stdout.trim()), (0, "Nothing differs."), "{}", named.stderr);
    // A permission is compared like a role.
    folder.write("roles.yaml", &FILE.replace("    description: Write articles", "    requestable: true"));
    let planned = folder.userd("roles plan roles.yaml").stdout;
    for line in ["change permission cms.write", "description: \"Write articles\" -> null", "requestable: false -> true"]
    {
        assert!(planned.contains(line), "{planned}");
    }
    assert_eq!(folder.userd("roles apply roles.yaml").code, 0);
    assert_eq!(folder.userd("roles plan roles.yaml").stdout.trim(), "Nothing differs.");
    folder.write("roles.yaml", FILE);
    assert_eq!(folder.userd("roles apply roles.yaml").code, 0);
    // It may declare them itself, too.
    folder.write("config.yaml", INLINE);
    let planned = folder.userd("--config config.yaml roles plan");
    assert_eq!((planned.code, planned.stdout.trim()), (0, "Nothing differs."), "{}", planned.stderr);
    folder.write("config.yaml", &INLINE.replace("requestable: true", "requestable: false"));
    let applied = folder.userd("--config config.yaml roles apply");
    assert!(applied.stdout.contains("requestable: true -> false"), "{}{}", applied.stdout, applied.stderr);
    let twice = folder.userd("--config config.yaml --set roles.file=roles.yaml config check");
    assert!(twice.code == 2 && twice.stderr.contains("roles.file"), "{}", twice.stderr);
    for (right, wrong, key) in [
        ("name: editor", "name: Editor", "roles.declared.0.name"),
        ("quorum: 1", "quorum: 21", "roles.declared.0.quorum"),
        ("notify_count: 2", "notify_count: 0", "roles.declared.0.notify_count"),
        ("users: []", "users: [me]", "roles.declared.0.approvers.users.0"),
        ("escalate_after: 1d", "escalate_after: 30d", "roles.declared.0"),
        ("name: cms.write", "name: cms write", "roles.permissions.0.name"),
    ] {
        assert!(INLINE.contains(right), "{right}");
        folder.write("config.yaml", &INLINE.replacen(right, wrong, 1));
        let refused = folder.userd("--config config.yaml config check");
        assert!(refused.code == 2 && refused.stderr.contains(key), "{wrong}: {}", refused.stderr);
    }
    folder.write("config.yaml", "");
    let wrong = folder.userd("roles plan wrong.yaml");
    assert_eq!(wrong.code, 2, "{}", wrong.stderr);
    assert!(wrong.stderr.contains("wrong.yaml"), "{}", wrong.stderr);
    for (right, wrong, key) in [
        ("requestable: true", "requestable: true\n    quorom: 2", "quorom"),
        ("{ roles: [approver] }", "{ role: [approver] }", "roles.0.approvers.role"),
        (
            "{ roles: [admin] }",
            "{ roles: [admin], persons: [] }",
            "roles.0.escalate_to.persons: unknown key; there are",
        ),
        ("escalate_after_seconds: 86400", "escalate_after: 1d", "roles.0.escalate_after: unknown key; there are"),
        ("escalate_after_seconds: 86400", "escalate_after: 1d", "escalate_after_seconds"),
        ("description: Write articles", "about: Write articles", "about"),
    ] {
        assert!(FILE.contains(right), "{right}");
        folder.write("wrong.yaml", &FILE.replacen(right, wrong, 1));
        let refused = folder.userd("roles plan wrong.yaml");
        assert!(refused.code == 2 && refused.stderr.contains(key), "{wrong}: {}{}", refused.stdout, refused.stderr);
    }
    // What cannot be applied is not planned as if it could: all of it is said at once, where it stands in the file.
    for (right, wrong, expected) in [
        ("permissions: [cms.write]", "permissions: [cms.rite]", "roles/0/permissions/0: no such permission"),
        ("requestable: true", "includes: [editor]", "roles/0/includes: a role cannot include itself"),
        ("roles: [approver]", "roles: [nobody]", "roles/0/approvers/roles/0: no such role"),
        ("name: editor", "name: ..", "roles/0/name: must not begin with a dot"),
        ("name: cms.write", "name: users.read", "permissions/0/name: this is built in"),
    ] {
        assert!(FILE.contains(right), "{right}");
        folder.write("wrong.yaml", &FILE.replacen(right, wrong, 1));
        for command in ["plan", "apply"] {
            let refused = folder.userd(&format!("roles {command} wrong.yaml"));
            assert!(
                refused.code == 2 && refused.stderr.contains(expected),
                "{wrong}: {}{}",
                refused.stdout,
                refused.stderr
            );
        }
    }
    let nobody =
        folder.userd("roles grant 0197f9c2-0000-7000-8000-000000000000 editor --expires-at 2099-01-31T00:00:00Z");
    assert_eq!(nobody.code, 1, "{}", nobody.stderr);
}

/// Neither serde's words nor the program's: where it stands, what may stand there, and what does.
#[test]
fn a_value_that_a_rule_cannot_have_is_told_in_the_words_of_the_file() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    for (right, wrong, expected) in [
        (
            "{ random: 2 }",
            "everybody",
            "roles.0.notify: expected all, named or { random: NUMBER }, found \"everybody\"",
        ),
        ("{ random: 2 }", "random", "roles.0.notify: expected all, named or { random: NUMBER }, found \"random\""),
        (
            "requestable: true",
            "auto_approve: [approver]",
            "roles.0.auto_approve: expected true, false or { roles: [NAME] }, found [\"approver\"]",
        ),
        (
            "requestable: true",
            "quorum: two",
            "roles.0.quorum: expected a whole number from 0 to 4294967295, found \"two\"",
        ),
        ("{ roles: [approver] }", "approver", "roles.0.approvers: expected an object, found \"approver\""),
    ] {
        assert!(FILE.contains(right), "{right}");
        folder.write("wrong.yaml", &FILE.replacen(right, wrong, 1));
        for command in ["plan", "apply"] {
            let refused = folder.userd(&format!("roles {command} wrong.yaml"));
            assert!(refused.code == 2 && refused.stderr.contains(expected), "{wrong}: {}", refused.stderr);
        }
    }
}

/// Of two permissions of one name each would undo what the other says: there would always be something to apply.
#[test]
fn a_permission_that_stands_twice_in_a_file_is_refused() {
    let twice = "permissions:\n  - { name: cms.write, description: One }\n  - { name: cms.write, description: Two }\n";
    let folder = Folder::new().with("roles.yaml", &format!("{twice}roles: []\n"));
    assert_eq!(folder.userd("migrate up").code, 0);
    for line in ["roles plan roles.yaml", "roles apply roles.yaml"] {
        let said = folder.userd(line);
        assert_eq!(said.code, 2, "{line}: {}", said.stderr);
        assert!(said.stderr.contains("another permission has this name"), "{line}: {}", said.stderr);
    }
    assert!(!folder.userd("roles export").stdout.contains("cms.write"), "nothing was applied");
}

/// The service does not read the file, and starts without it.
#[test]
fn the_check_reads_the_file_of_roles() {
    let folder = Folder::new().with("roles.yaml", FILE).with("wrong.yaml", "roles:\n  - nam: editor\n");
    assert_eq!(folder.userd("--set roles.file=roles.yaml config check").code, 0);
    for (file, words) in [("nowhere.yaml", "roles.file: nowhere.yaml: "), ("wrong.yaml", "roles.file: wrong.yaml: ")] {
        let said = folder.userd(&format!("--set roles.file={file} config check"));
        assert_eq!(said.code, 2, "{file}: {}", said.stdout);
        assert!(said.stderr.contains(words), "{file}: {}", said.stderr);
        assert_eq!(folder.userd(&format!("--set roles.file={file} migrate up")).code, 0, "{file}");
    }
}
