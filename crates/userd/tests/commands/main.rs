//! The commands, as an operator types them: the real binary in a folder of its own. Deliberately absent: the server.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may stop at the first surprise"
)]

mod answers;
mod backups;
mod copies;
mod doctor;
mod every_command;
mod imports;
mod logs;
mod messages;
mod owners;
mod pipes;
mod roles;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use tempfile::TempDir;
use userd_storage::engines::sqlite::ServiceLock;

/// A folder in which the program runs, and nothing else.
struct Folder(TempDir);

/// What the program said.
struct Said {
    code: i32,
    stdout: String,
    stderr: String,
}

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn with(self, name: &str, content: &str) -> Self {
        self.write(name, content);
        self
    }

    fn write(&self, name: &str, content: &str) {
        let path = self.0.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    fn userd(&self, line: &str) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_userd"));
        let output: Output = command.args(line.split(' ')).current_dir(self.0.path()).env_clear().output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        let said =
            Said { code: output.status.code().unwrap(), stdout: text(output.stdout), stderr: text(output.stderr) };
        assert!(!said.stderr.contains("hunter2") && !said.stdout.contains("hunter2"), "{}{}", said.stdout, said.stderr);
        said
    }

    /// Every file, by its path from the folder, in order.
    fn files(&self) -> Vec<String> {
        fn walk(folder: &Path, root: &Path, files: &mut Vec<String>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, root, files);
                } else {
                    files.push(path.strip_prefix(root).unwrap().to_str().unwrap().to_owned());
                }
            }
        }
        let mut files = Vec::new();
        walk(self.0.path(), self.0.path(), &mut files);
        files.sort();
        files
    }
}

/// `sqlite::memory:` of a command is nobody else's (fault 19).
#[test]
fn a_command_does_not_work_on_a_database_that_ends_with_it() {
    let said = Folder::new().userd("--set database.url=sqlite::memory: users list");
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("no command reaches it"), "{}", said.stderr);
}

/// A key path that means something else from another folder leaves no key there (fault 19).
#[test]
fn a_command_makes_no_folder_for_a_master_key() {
    let folder = Folder::new();
    assert_eq!(folder.userd("--set database.url=sqlite://there/userd.db migrate up").code, 0);
    let said = folder.userd("--set database.url=sqlite://there/userd.db users list");
    assert_eq!(said.code, 2, "{}", said.stderr);
    let key = folder.0.path().canonicalize().unwrap().join("data/master.key");
    assert!(said.stderr.contains(&format!("the master key file {} is not there", key.display())), "{}", said.stderr);
    assert_eq!(folder.files(), ["there/userd.db"]);
}

/// (fault 19)
#[test]
fn a_command_that_changes_something_says_where() {
    let folder = Folder::new();
    let place = format!("database: {}\n", folder.0.path().canonicalize().unwrap().join("data/userd.db").display());
    for (line, changes) in [
        ("migrate up", true),
        ("keys rotate", true),
        ("--json clients create billing", true),
        ("backup copy.db", true),
        ("keys list", false),
        ("clients list", false),
        ("users list", false),
    ] {
        let said = folder.userd(line);
        assert_eq!(said.code, 0, "{line}: {}", said.stderr);
        assert_eq!(said.stderr.contains(&place), changes, "{line}: {}", said.stderr);
    }
}

/// What a service writes behind the copy's back would stay behind: refused, naming the process.
#[test]
fn a_database_that_a_service_runs_on_is_not_copied() {
    let folder = Folder::new();
    for line in ["migrate up", "--set database.url=sqlite://other.db migrate up"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    let served = ServiceLock::take(&folder.0.path().join("data/userd.db")).unwrap();
    for (line, key) in [
        ("storage copy --from sqlite://data/userd.db --to sqlite://new.db", "--from"),
        ("storage copy --from sqlite://other.db --to sqlite://data/userd.db --resume", "--to"),
    ] {
        let said = folder.userd(line);
        assert_eq!(said.code, 2, "{line}: {}", said.stderr);
        let whole = folder.0.path().canonicalize().unwrap().join("data/userd.db");
        let expected = format!("{key}: {} is served by another process, {}", whole.display(), std::process::id());
        assert!(said.stderr.contains(&expected), "{line}: {}", said.stderr);
    }
    drop(served);
    let said = folder.userd("storage copy --from sqlite://data/userd.db --to sqlite://new.db");
    assert_eq!(said.code, 0, "{}", said.stderr);
}

/// A script that reads a key reads no excuse.
#[test]
fn the_key_of_a_log_that_has_not_begun_is_no_answer() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    let said = folder.userd("audit key");
    assert_eq!((said.code, said.stdout.as_str()), (1, ""), "{}", said.stderr);
    assert!(said.stderr.contains("nothing has been logged yet"), "{}", said.stderr);
}

/// Who asks for what is not there hears what that is, and which command lists such things; with 1 from every command.
#[test]
fn what_is_not_there_is_named() {
    let folder = Folder::new();
    for line in [
        "migrate up",
        "users create --username anna",
        "roles grant anna support",
        "users create --username gone",
        "users delete gone",
    ] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    let id = "0197f9c2-0000-4000-8000-000000000000";
    for (line, words) in [
        ("roles grant anna nothing", "there is no role nothing; `userd roles list` shows them"),
        ("roles grant nobody support", "no account nobody"),
        ("roles revoke anna auditor", "anna does not have the role auditor; `userd users show anna`"),
        ("invitations revoke ID", "there is no invitation ID; `userd invitations list` shows them"),
        ("webhooks remove ID", "there is no webhook ID; `userd webhooks list` shows them"),
        ("webhooks test ID", "there is no webhook ID; "),
        ("deliveries show ID", "there is no message ID; `userd deliveries list` shows them"),
        ("deliveries retry ID", "there is no message ID; "),
        ("streams show ID", "there is no stream ID; `userd streams list` shows them"),
        ("notifications show ID", "there is no notification ID; "),
        ("audit prove ID", "there is no entry ID; `userd audit tail` shows them"),
        ("clients disable ID", "there is no active client ID; `userd clients list` shows them"),
        ("clients enable ID", "there is no disabled client ID; `userd clients list` shows them"),
        ("clients rotate-secret ID", "there is no active client ID; "),
        ("clients set-audiences ID userd", "there is no active client ID; "),
        ("clients disable ghost", "no active client ghost; `userd clients list` shows them"),
        ("clients enable ghost", "no disabled client ghost; "),
        ("keys revoke ghost", "no signing key ghost; `userd keys list` shows them"),
        ("mail show ID", "there is no mail ID; `userd mail list` shows them"),
        ("users show ghost", "no account ghost: "),
        ("users block ghost", "no account ghost: "),
        ("users purge ghost --yes", "no account ghost: "),
        ("roles revoke ghost support", "no account ghost: "),
        ("roles grant gone support", "gone is deleted; `userd users restore gone` has it back"),
        ("users unblock gone", "gone is"),
        ("users delete gone", "gone is deleted; "),
        ("users require-password-change gone", "gone is deleted; "),
        ("users restore anna", "anna is not deleted; `userd users show anna` shows the account"),
    ] {
        let said = folder.userd(&line.replace("ID", id));
        assert_eq!(said.code, 1, "{line}: {}", said.stderr);
        assert!(said.stderr.contains(&words.replace("ID", id)), "{line}: {}", said.stderr);
    }
    let revoked = folder.userd("roles revoke anna support");
    assert_eq!((revoked.code, revoked.stdout.trim()), (0, "anna has the role support no more."), "{}", revoked.stderr);
}

/// What the unit serves and what a command works on are named in one file (fault 19).
#[test]
fn the_shipped_unit_configures_nothing_that_commands_would_not_see() {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../deploy/systemd");
    let unit = fs::read_to_string(shipped.join("userd.service")).unwrap();
    let told = |line: &&str| !line.starts_with('#') && (line.contains("USERD_") || line.contains("--set"));
    assert_eq!(unit.lines().find(told), None);
    let config = fs::read_to_string(shipped.join("config.yaml")).unwrap();
    let folder = Folder::new().with("etc/config.yaml", &config);
    assert_eq!(folder.userd("--config etc/config.yaml config check").code, 0);
    let said = folder.userd("--config etc/config.yaml users create-admin --email a@b.example --password-stdin");
    assert_eq!(said.code, 2, "{}", said.stderr);
    assert!(said.stderr.contains("there is no file /var/lib/userd/userd.db"), "{}", said.stderr);
    assert!(config.contains("/run/credentials/userd.service/master.key"));
    assert_eq!(folder.files(), ["etc/config.yaml"]);
}

#[test]
fn a_copy_from_a_database_of_nobody_is_refused() {
    let folder = Folder::new().with("foreign.db", "");
    let copied = folder.userd("storage copy --from sqlite://foreign.db --to sqlite://new.db");
    assert_eq!(copied.code, 2, "{}", copied.stderr);
    let whole = folder.0.path().canonicalize().unwrap().join("foreign.db");
    let expected = format!("--from: {}: this database holds nothing of userd", whole.display());
    assert!(copied.stderr.contains(&expected), "{}", copied.stderr);
    assert!(!folder.files().contains(&"new.db".to_owned()));
}

#[test]
fn a_failed_command_says_so_in_json_when_asked() {
    let folder = Folder::new();
    let said = folder.userd("--json backup copy.db");
    let json: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
    let error = json["error"].as_str().unwrap();
    assert!(error.starts_with("database.url: there is no file /") && error.contains("data/userd.db"), "{error}");
    assert!(said.stderr.contains("error: database.url"), "{}", said.stderr);
}

#[test]
fn the_check_refuses_what_the_start_would_refuse() {
    let folder = Folder::new().with("no.pem", "no certificate\n");
    let ydb = if cfg!(feature = "ydb") {
        "config.yaml:2:8: database.url: ydb: a token stands in a file"
    } else {
        "config.yaml:2:8: database.url: this build has no engine for YDB"
    };
    for (yaml, place) in [
        ("registration:\n  mode: approved\n", "config.yaml:2:9: registration.mode: "),
        ("registration: { blocked_domains: ['@spam.example'] }\n", "config.yaml:1:34: registration.blocked_domains: "),
        ("\npasswords: { pepper: hunter2 }\n", "config.yaml:2:22: passwords.pepper: expected 32 bytes in base64"),
        ("database:\n  url: grpcs://db.example:2136/userd?token=hunter2\n", ydb),
        ("database: { url: 'postgres://u:hunter2@h/d?sslmode=verify' }\n", "config.yaml:1:18: database.url: "),
        ("database: { url: 'postgres://u:hunter2@h/d?no_such=1' }\n", "config.yaml:1:18: database.url: "),
        ("database: { url: 'postgres://h/d', ca_file: no.pem }\n", "config.yaml:1:18: database.url: "),
        ("cache: { url: 'redis://u:hunter2@h/not-a-number' }\n", "config.yaml:1:15: cache.url: "),
        ("cache: { url: 'redis+sentinel://a,b' }\n", "config.yaml:1:15: cache.url: "),
        (
            "http: { tls: { certificate_file: no.pem, key_file: no.pem } }\n",
            "config.yaml:1:34: http.tls.certificate_file: ",
        ),
        (
            "providers:\n  - { id: ya, kind: yandex, client_id: a, client_secret: hunter2, proxy: 'sock5://h:1' }\n",
            "providers.0.proxy: expected http://host:port",
        ),
        ("telegram: { proxy: 'sock5://h:1' }\n", "config.yaml:1:20: telegram.proxy: "),
    ] {
        folder.write("config.yaml", yaml);
        let said = folder.userd("config check");
        assert_eq!(said.code, 2, "{yaml}{}", said.stdout);
        assert!(said.stderr.contains(place), "{yaml}{}", said.stderr);
        assert_eq!(said.stderr.lines().count(), 1, "{}", said.stderr);
    }
    assert_eq!(folder.files(), ["config.yaml", "no.pem"]);
}

#[test]
fn everything_that_is_wrong_with_a_provider_is_told_at_once() {
    let provider = "id: ya, kind: yandex, client_id: a, client_secret: hunter2, proxy: foo, timeout: 1m, authorize_params: { state: mine }";
    let folder = Folder::new().with("config.yaml", &format!("providers: [{{ {provider} }}]\n"));
    let said = folder.userd("config check");
    assert_eq!((said.code, said.stderr.lines().count()), (2, 3), "{}", said.stderr);
    for key in ["proxy", "timeout", "authorize_params"] {
        assert!(said.stderr.contains(&format!("providers.0.{key}: ")), "{key}: {}", said.stderr);
    }
}

#[test]
fn a_variable_that_the_start_would_refuse_is_named() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_userd"));
    let folder = Folder::new();
    command.args(["config", "check"]).current_dir(folder.0.path()).env_clear();
    let output = command.env("USERD__REGISTRATION__MODE", "approved").output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr.contains("environment variable USERD__REGISTRATION__MODE: registration.mode: "), "{stderr}");
}

/// (fault 34)
#[test]
fn a_variable_with_one_underscore_is_told() {
    let said = |name: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_userd"));
        let folder = Folder::new();
        command.args(["config", "check"]).current_dir(folder.0.path()).env_clear();
        let output = command.env(name, "hunter2").output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{name}");
        String::from_utf8(output.stderr).unwrap()
    };
    for (name, meant) in [
        ("USERD_HTTP_LISTEN", "USERD__HTTP__LISTEN"),
        ("USERD_HTTP__LISTEN", "USERD__HTTP__LISTEN"),
        ("USERD_TOKENS_ACCESS_TTL", "USERD__TOKENS__ACCESS_TTL"),
        ("USERD_PROVIDERS_0_CLIENT_ID", "USERD__PROVIDERS__0__CLIENT_ID"),
    ] {
        let stderr = said(name);
        assert!(stderr.contains(&format!("{name} is not read; did you mean {meant}?")), "{stderr}");
        assert!(!stderr.contains("hunter2"), "{stderr}");
    }
    // What Kubernetes makes of a service named userd, and a variable of our own.
    for name in ["USERD_PORT", "USERD_SERVICE_HOST", "USERD_PORT_8080_TCP_ADDR", "USERD_TEST_POSTGRES"] {
        assert_eq!(said(name), "", "{name}");
    }
}

/// A client is known by its name too, as long as that is one client's alone (fault 34).
#[test]
fn a_client_is_disabled_and_enabled_by_its_name() {
    let folder = Folder::new();
    assert_eq!(folder.userd("migrate up").code, 0);
    for name in ["billing", "mail", "mail"] {
        assert_eq!(folder.userd(&format!("clients create {name}")).code, 0);
    }
    for (line, code) in [
        ("clients disable nobody", 1),
        ("clients disable mail", 2),
        ("clients rotate-secret billing", 0),
        ("clients enable billing", 1),
        ("clients disable billing", 0),
        ("clients disable billing", 1),
        ("clients enable billing", 0),
        ("clients disable billing", 0),
    ] {
        let said = folder.userd(line);
        assert_eq!(said.code, code, "{line}: {}", said.stderr);
    }
    let listed = folder.userd("clients list").stdout;
    assert_eq!((listed.matches("disabled").count(), listed.matches("active").count()), (1, 2), "{listed}");
}

/// (fault 34)
#[test]
fn a_list_of_accounts_says_where_it_stops() {
    let folder = Folder::new();
    for line in ["migrate up", "users create --username anna", "users create --username boris"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    for (limit, stops) in [(1, true), (2, false)] {
        let said = folder.userd(&format!("--json users list --limit {limit}"));
        let listed: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
        assert_eq!(listed.as_array().unwrap().len(), limit);
        assert_eq!(
            said.stderr.contains(&format!("the list stops at {limit}, there are more")),
            stops,
            "{}",
            said.stderr
        );
    }
}

#[test]
fn keys_without_effect_are_told() {
    let yaml = "accounts: { restore_window: 1d }\nregistration: { mode: invite }\nmail: { from: a@b.example }\n";
    let said = Folder::new().with("config.yaml", yaml).userd("config check");
    assert_eq!(said.code, 0, "{}", said.stderr);
    assert!(!said.stderr.contains("restore_window"), "it has: {}", said.stderr);
    assert!(said.stderr.contains("mail.from has no effect without mail.url"), "{}", said.stderr);
}

/// Where hardly any file may be open, that is said; nothing panics.
#[test]
fn a_limit_of_a_few_open_files_is_told() {
    let folder = Folder::new();
    for line in ["serve", "users list", "config check"] {
        let mut command = Command::new("sh");
        let limited = format!("ulimit -n 8; exec '{}' {line}", env!("CARGO_BIN_EXE_userd"));
        let output = command.args(["-c", &limited]).current_dir(folder.0.path()).env_clear().output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{line}: {stderr}");
        assert!(stderr.contains("only 8 files may be open at a time"), "{line}: {stderr}");
        assert_eq!(stderr.lines().count(), 1, "{line}: {stderr}");
    }
}

/// Where a text or a list may stand, words between commas are a list, as of every list in a variable or a flag.
#[test]
fn words_between_commas_are_a_list_where_one_may_stand() {
    let folder = Folder::new();
    let shown = |value: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_userd"));
        command.args(["--json", "config", "show"]).current_dir(folder.0.path()).env_clear();
        let output = command.env("USERD__TOKENS__AUDIENCE", value).output().unwrap();
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        shown["tokens"]["audience"].clone()
    };
    assert_eq!(shown("a"), "a");
    for list in ["a,b", "a, b", "[a, b]"] {
        assert_eq!(shown(list), serde_json::json!(["a", "b"]), "{list}");
    }
}
