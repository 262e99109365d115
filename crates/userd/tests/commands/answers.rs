//! An answer that does not reach the standard output is no success.

use std::{
    fs::File,
    process::{Command, Stdio},
};

use crate::Folder;

/// `/dev/full` takes nothing: there is no room.
fn full() -> Stdio {
    File::options().write(true).open("/dev/full").unwrap().into()
}

/// Nobody reads at the other end.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

fn answered_to(folder: &Folder, line: &str, stdout: Stdio) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_userd"));
    command.args(line.split(' ')).current_dir(folder.0.path()).env_clear().stdout(stdout).stderr(Stdio::piped());
    let output = command.spawn().unwrap().wait_with_output().unwrap();
    (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn an_answer_for_which_there_is_no_room_fails() {
    let folder = Folder::new();
    for line in ["migrate up", "users create --username anna", "clients create billing"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    for line in [
        "version",
        "openapi",
        "config example",
        "config show",
        "completions bash",
        "templates list",
        "users list",
        "users export anna",
        "clients list",
        "--json doctor",
        "backup copy.db",
    ] {
        let (code, stderr) = answered_to(&folder, line, full());
        assert_eq!(code, 1, "{line}: {stderr}");
        assert!(stderr.contains("the answer could not be written to the standard output: "), "{line}: {stderr}");
        assert!(stderr.contains("No space left"), "{line}: {stderr}");
    }
    // Whoever looks at the first lines only closes the pipe, and that is no fault.
    for line in ["users list", "config example", "users export anna"] {
        let (code, stderr) = answered_to(&folder, line, closed());
        assert_eq!(code, 0, "{line}: {stderr}");
        assert!(!stderr.contains("error"), "{line}: {stderr}");
    }
}

#[test]
fn a_secret_that_nobody_saw_is_told_with_what_makes_another() {
    let folder = Folder::new();
    for line in ["migrate up", "clients create billing"] {
        assert_eq!(folder.userd(line).code, 0, "{line}");
    }
    for (line, again) in [
        ("clients rotate-secret billing", "`userd clients rotate-secret "),
        ("clients create mail", "`userd clients rotate-secret "),
        ("--json clients create shop", "`userd clients rotate-secret "),
        ("invitations create", "`userd invitations revoke "),
        ("webhooks create https://hooks.example/ --event *", "`userd webhooks rotate-secret "),
    ] {
        for stdout in [full(), closed()] {
            let (code, stderr) = answered_to(&folder, line, stdout);
            assert_eq!(code, 1, "{line}: {stderr}");
            assert!(stderr.contains("it is lost") && stderr.contains(again), "{line}: {stderr}");
        }
    }
}
