//! People of other software: exports made by that software itself, brought over, signed in with the old passwords.

use serde_json::{Value, json};

use crate::support::{Engine, TestApp, script};

const SIGN_IN: &str = "/v1/auth/login";

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
        app.ask(&[&["import", source, &path, "--rejected", &rejected], more].concat()).await
    };
    let numbers =
        |report: &Value| ["rows", "imported", "already_here", "rejected"].map(|name| report[name].as_u64().unwrap());
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

/// Memory is flat, however many rows there are; and a row too long, a file that ends too soon or is of another kind is told.
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
        let report = app.ask(&["import", source, &path, "--rejected", rejected.to_str().unwrap()]).await;
        assert_eq!(report["rejected"], 1, "{name}: {report}");
        let why = std::fs::read_to_string(&rejected).unwrap();
        assert!(why.contains(reason), "{name}: {why}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&rejected).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "it names people");
    }
}
