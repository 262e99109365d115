//! People of other software: exports made by that software itself, brought over, signed in with the old passwords.

use std::{io::Write as _, time::Duration};

use serde_json::{Value, json};

use crate::support::{Engine, Replica, TestApp, on_each_engine, script, until};

const SIGN_IN: &str = "/v1/auth/login";
const PASSWORD: &str = "correct horse, пароль";

fn numbers(report: &Value) -> [u64; 4] {
    ["rows", "imported", "already_here", "rejected"].map(|name| report[name].as_u64().unwrap())
}

/// What an import says of itself. Where it brought nobody over because every row was rejected, it ends with 1.
async fn import_of(app: &TestApp, arguments: &[&str]) -> Value {
    let output = app.run(&[&["--json"], arguments].concat()).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let [rows, _, _, rejected] = numbers(&report);
    assert_eq!(output.status.code(), Some(i32::from(rows > 0 && rejected == rows)), "{report}");
    report
}

/// Django's dumpdata, Passlib's hashes, fastapi-users and a realm of Keycloak: each of their people signs in with the old
/// password, twice: by the old hash, and by the one that was made of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_other_software_sign_in_with_their_old_passwords() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let folder = app.path("exports");
    std::fs::create_dir_all(&folder).unwrap();
    let Some(made) = script::run("make_exports.py", &[folder.to_str().unwrap()]).await else { return };
    std::fs::write(app.path("config.yaml"), json!({ "providers": [{
        "id": "corp", "kind": "oidc", "issuer": "https://id.example.org", "client_id": "userd", "client_secret": "secret",
    }]}).to_string()).unwrap();
    let replica = app.open().await;
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let rejected = file("rejected.jsonl");
    let import = async |source: &str, name: &str, more: &[&str]| -> Value {
        let path = file(name);
        import_of(&app, &[&["import", source, &path, "--rejected", &rejected], more].concat()).await
    };
    let why = || std::fs::read_to_string(&rejected).unwrap();

    // A trial changes nothing, and says the same.
    let trial = import("django", "django.json", &["--dry-run"]).await;
    assert_eq!(numbers(&trial), [10, 9, 0, 1]);
    assert!(why().contains("username: ") && why().contains("\"row\":10"), "{}", why());
    let done = import("django", "django.json", &[]).await;
    assert_eq!(numbers(&done), [10, 9, 0, 1]);
    // The other form of the same dump: they are here.
    assert_eq!(numbers(&import("django", "django.jsonl", &[]).await), [10, 0, 9, 1]);

    let done = import("csv", "passlib.csv", &[]).await;
    assert_eq!(numbers(&done), [9, 7, 0, 2], "{}", why());
    for reason in ["password_hash: of a kind", "email: "] {
        assert!(why().contains(reason), "{reason}: {}", why());
    }
    assert!(!why().contains("$1$"), "no hash is written there: {}", why());
    std::fs::write(folder.join("again.csv"), "id,email\n7,passlib_bcrypt@example.org\n").unwrap();
    assert_eq!(numbers(&import("csv", "again.csv", &[]).await), [1, 0, 1, 0], "the ids of one software are known");
    std::fs::write(folder.join("other.jsonl"), "{\"id\": 7, \"email\": \"passlib_bcrypt@example.org\"}\n").unwrap();
    assert_eq!(numbers(&import("jsonl", "other.jsonl", &[]).await), [1, 0, 0, 1]);
    assert!(why().contains("email: an account here has it already"), "{}", why());
    assert_eq!(numbers(&import("fastapi-users", "fastapi_users.csv", &[]).await), [2, 2, 0, 0]);
    let done = import("keycloak", "keycloak.json", &[]).await;
    assert_eq!(numbers(&done), [4, 0, 0, 4], "a provider that is not configured here is said: {}", why());
    let done = import("keycloak", "keycloak.json", &["--provider", "company=corp"]).await;
    assert_eq!(numbers(&done), [4, 3, 0, 1]);
    assert_eq!(app.ask(&["mail", "list"]).await, json!([]), "nobody is written to");

    let visitor = replica.visitor();
    let wrong = json!({ "login": "django_scrypt", "password": "correct horse" });
    visitor.post(SIGN_IN, wrong).await.refused(401, "wrong_credentials");
    for (source, people) in made["people"].as_object().unwrap() {
        for email in people.as_array().unwrap() {
            let right = json!({ "login": email, "password": made["password"] });
            for time in ["the old hash", "the new one"] {
                let answer = visitor.post(SIGN_IN, right.clone()).await;
                assert_eq!(answer.status, 200, "{source} {email} by {time}: {}", answer.json());
            }
        }
    }
    let blocked = json!({ "login": "django_blocked", "password": made["password"] });
    visitor.post(SIGN_IN, blocked).await.refused(403, "blocked");
    let nobody = json!({ "login": "django_nobody", "password": made["password"] });
    visitor.post(SIGN_IN, nobody).await.refused(401, "wrong_credentials");
    let by_address = json!({ "login": "mail@as.example.org", "password": made["password"] });
    visitor.post(SIGN_IN, by_address).await.expect(200);

    // What they were is kept: proven addresses, when they came, accounts elsewhere.
    let admin = replica.admin(&app).await;
    let grace = admin.get("/v1/users?query=keycloak_argon2@example.org").await.expect(200)["items"][0].clone();
    let shown = ["email_verified", "display_name", "locale"].map(|name| grace[name].clone());
    assert_eq!(shown, [json!(true), json!("Grace argon2"), json!("ru")]);
    assert_eq!(grace["created_at"], "2020-09-13T12:26:40Z");
    let path = format!("/v1/users/{}/identities", grace["id"].as_str().unwrap());
    assert_eq!(admin.get(&path).await.expect(200)["items"][0]["provider"], "corp");
}

/// FastID, Kratos, Supabase, Firebase and better-auth (the last by its own software): the same for them, and their accounts at Yandex,
/// Telegram, Google and VK are linked.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_of_identity_platforms_keep_their_passwords_and_their_accounts_elsewhere() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    let folder = app.path("exports");
    std::fs::create_dir_all(&folder).unwrap();
    let arguments = [folder.to_str().unwrap(), PASSWORD];
    let (platforms, better_auth) =
        tokio::join!(script::run("make_platform_exports.py", &arguments), script::run("make_exports.mjs", &arguments));
    let Some((platforms, better_auth)) = platforms.zip(better_auth) else { return };
    let provider =
        |kind: &str, id: &str| json!({ "id": kind, "kind": kind, "client_id": id, "client_secret": "secret" });
    let providers = json!([
        provider("google", "g"),
        provider("yandex", "y"),
        provider("telegram", "110201543"),
        provider("vk", "1")
    ]);
    std::fs::write(app.path("config.yaml"), json!({ "providers": providers }).to_string()).unwrap();
    let replica = app.open().await;
    let file = |name: &str| folder.join(name).to_str().unwrap().to_owned();
    let rejected = file("rejected.jsonl");
    let import = async |words: &str| -> Value {
        let named = |word: &str| if folder.join(word).exists() { file(word) } else { word.to_owned() };
        let words: Vec<String> = words.split(' ').map(named).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        import_of(&app, &[&["import", "--rejected", &rejected], &words[..]].concat()).await
    };
    let why = || std::fs::read_to_string(&rejected).unwrap();
    for (words, expected, reasons) in [
        ("fastid fastid.csv --accounts fastid_accounts.csv", [4, 3, 0, 1], &["give an e-mail address"][..]),
        ("kratos kratos.json", [9, 7, 0, 2], &["password_hash: of a kind", "include_credential=password"]),
        (
            "supabase supabase.csv --accounts supabase_identities.csv",
            [7, 4, 0, 3],
            &["deleted there", "anonymous", "of SSO"],
        ),
        ("better-auth better_auth.json --accounts better_auth_accounts.json", [4, 4, 0, 0], &[]),
        ("firebase firebase.json --provider facebook.com=", [3, 1, 0, 2], &["--hash-config was not given"]),
        ("firebase firebase.json --hash-config firebase_hash_config.txt --provider facebook.com=", [3, 2, 1, 0], &[]),
    ] {
        if words.starts_with("supabase") {
            let trial = import(&format!("{words} --dry-run")).await;
            assert_eq!(numbers(&trial), expected, "{words}: {}", why());
        }
        let done = import(words).await;
        assert_eq!(numbers(&done), expected, "{words}: {}", why());
        for reason in reasons {
            assert!(why().contains(reason), "{words}: {reason}: {}", why());
        }
        assert!(!why().contains("$md5$"), "no hash is written there: {}", why());
        let [rows, imported, before, bad] = expected;
        assert_eq!(numbers(&import(words).await), [rows, 0, before + imported, bad], "{words} again");
    }
    // The other form of the same table: they are here.
    assert_eq!(numbers(&import("supabase supabase.json").await), [7, 0, 4, 3]);
    // Accounts that find no owner are told before anybody comes over.
    let words = ["import", "better-auth", &file("better_auth.json"), "--accounts", &file("better_auth_unordered.json")];
    let unordered = app.run(&words).await;
    let said = String::from_utf8_lossy(&unordered.stderr).into_owned();
    assert!(unordered.status.code() == Some(2) && said.contains("order both files"), "{said}");

    let visitor = replica.visitor();
    let platforms = platforms["people"].as_array().unwrap().iter().map(|email| (email.clone(), json!(PASSWORD)));
    let better_auth = better_auth["people"].as_object().unwrap().iter();
    let better_auth = better_auth.map(|(name, of)| (json!(format!("better_auth_{name}@example.org")), of.clone()));
    for (email, password) in platforms.chain(better_auth) {
        for time in ["the old hash", "the new one"] {
            let answer = visitor.post(SIGN_IN, json!({ "login": email, "password": password })).await;
            assert_eq!(answer.status, 200, "{email} by {time}: {}", answer.json());
        }
    }
    for name in ["kratos_inactive", "supabase_banned", "better_auth_banned", "firebase_disabled"] {
        let login = json!({ "login": format!("{name}@example.org"), "password": PASSWORD });
        visitor.post(SIGN_IN, login).await.refused(403, "blocked");
    }

    let admin = replica.admin(&app).await;
    for (email, verified) in [
        ("fastid_argon2", true),
        ("kratos_bcrypt", true),
        ("supabase_bcrypt", true),
        ("better_auth_plain", true),
        ("firebase_scrypt", true),
        ("supabase_unconfirmed", false),
        ("better_auth_ligature", false),
    ] {
        let found = admin.get(&format!("/v1/users?query={email}@example.org")).await.expect(200)["items"][0].clone();
        assert_eq!(found["email_verified"], verified, "{email}");
        let path = format!("/v1/users/{}/identities", found["id"].as_str().unwrap());
        let linked = admin.get(&path).await.expect(200);
        let linked = linked["items"].as_array().unwrap();
        let mut linked: Vec<&str> = linked.iter().map(|one| one["provider"].as_str().unwrap()).collect();
        linked.sort_unstable();
        let all = ["google", "telegram", "vk", "yandex"];
        assert_eq!(linked, if verified { &all[..] } else { &[] }, "{email}");
    }
}

on_each_engine! {
    /// `kill -9` in the middle of a file, then the same command twice at once: each person is there once, and nobody is missing.
    async fn an_import_that_was_killed_goes_on(app: TestApp) {
        const PEOPLE: usize = 300;
        let replica = app.open().await;
        let admin = replica.admin(&app).await;
        let rows: Vec<String> = (0..PEOPLE).map(|n| format!("{n},killed{n}@example.org,true,{n}\n")).collect();
        let rows = format!("id,email,email_verified,username\n{}", rows.concat().replace(",true,", ",true,person_"));
        // Through a pipe that stays open, so that the first run cannot come to its end.
        let pipe = app.path("pipe.csv");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let mut first = app.command();
        first.args(["import", "csv", pipe.to_str().unwrap()]);
        let first = Replica::spawn(first);
        let (half, writing) = (rows[..rows.len() / 2].to_owned(), pipe.clone());
        let writer = tokio::task::spawn_blocking(move || {
            let mut pipe = std::fs::OpenOptions::new().write(true).open(writing).unwrap();
            pipe.write_all(half.as_bytes()).unwrap();
            pipe
        });
        until("some have come over", Duration::from_secs(30), async || {
            let found = admin.get("/v1/users?query=killed49@example.org").await.expect(200);
            !found["items"].as_array().unwrap().is_empty()
        })
        .await;
        first.kill().await;
        drop(writer.await.unwrap());

        let whole = app.path("whole.csv");
        std::fs::write(&whole, &rows).unwrap();
        let import = ["import", "csv", whole.to_str().unwrap()];
        let (one, other) = tokio::join!(app.ask(&import), app.ask(&import));
        let [one, other] = [numbers(&one), numbers(&other)];
        let people = u64::try_from(PEOPLE).unwrap();
        assert_eq!([one[0], one[3], other[0], other[3]], [people, 0, people, 0], "{one:?} {other:?}");
        let came = one[1] + other[1];
        assert!(came >= people / 2 && came < people, "{one:?} {other:?}");
        assert_eq!(numbers(&app.ask(&import).await), [people, 0, people, 0]);
        for n in [0, PEOPLE - 1] {
            let found = admin.get(&format!("/v1/users?query=killed{n}@example.org")).await.expect(200);
            assert_eq!(found["items"].as_array().unwrap().len(), 1, "{n}");
        }
    }
}

/// A row too long, a file that ends too soon or is of another kind is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_wrong_is_told_with_its_row() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap();
    drop(app.open().await);
    let write = |name: &str, text: &str| {
        std::fs::write(app.path(name), text).unwrap();
        app.path(name).to_str().unwrap().to_owned()
    };
    for (source, name, text, reason) in [
        ("jsonl", "lines.jsonl", "{\"email\": \"a@example.org\"}\n[1]\n", "not a JSON object"),
        ("jsonl", "other.jsonl", "{\"mail\": \"a@example.org\"}\n", "`mail` is no column here"),
        ("django", "cut.json", "[{\"pk\": 1, \"fields\": {\"username\": \"ada\"}}, {\"pk\"", "EOF"),
        ("keycloak", "realm.json", "{\"realm\": \"demo\"}", "no array `users`"),
        ("csv", "roles.csv", "email,roles\nb@example.org,no-such-role\n", "no such role"),
    ] {
        let path = write(name, text);
        let rejected = app.path("rejected.jsonl");
        let report = import_of(&app, &["import", source, &path, "--rejected", rejected.to_str().unwrap()]).await;
        assert_eq!(report["rejected"], 1, "{name}: {report}");
        let why = std::fs::read_to_string(&rejected).unwrap();
        assert!(why.contains(reason), "{name}: {why}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&rejected).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "it names people");
    }
}
