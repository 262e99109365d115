//! A thousand passwords, addresses and tokens that occur nowhere else, through every way in, with the log at its most
//! talkative: none of them may be found afterwards where it does not belong.

use std::collections::HashSet;

use serde_json::json;

use crate::support::{Caller, Engine, TestApp, Tokens, unique};

const CANARIES: usize = 1_000;

/// What one person entered and was given.
async fn sing(visitor: Caller, number: usize) -> Vec<String> {
    let email = format!("{}@canary.example", unique("bird"));
    let (password, wrong) = (unique("Sing-a-long-song-"), unique("Wrong-long-song-"));
    let registered = visitor.post("/v1/auth/register", json!({ "email": email, "password": password })).await;
    let mut tokens = Tokens::of(&registered.expect(201)["tokens"]);
    let mut canaries = vec![email.clone(), password.clone(), wrong.clone()];
    let mut answers = Vec::new();
    canaries.extend([tokens.access.clone(), tokens.refresh.clone()]);
    match number % 5 {
        0 => {
            answers.push(visitor.post("/v1/auth/login", json!({ "login": email, "password": wrong })).await);
            tokens = visitor.login(&email, &password).await;
        }
        1 => {
            tokens = Tokens::of(&visitor.refresh(&tokens.refresh).await.expect(200));
            answers.push(visitor.refresh(&format!("{}x", tokens.refresh)).await);
        }
        2 => {
            answers.push(visitor.post("/v1/auth/register", json!({ "email": email, "password": wrong })).await);
            let odd = json!({ "email": email, "password": password, "unknown": wrong });
            answers.push(visitor.post("/v1/auth/register", odd).await);
            answers.push(visitor.get(&format!("/v1/me?{wrong}={email}")).await);
        }
        3 => {
            let broken = format!("{{\"login\":\"{email}\",\"password\":\"{password}\",}}");
            let request = visitor.http.post(format!("{}/v1/auth/login", visitor.base)).body(broken);
            let request = request.header("content-type", "application/json");
            answers.push(crate::support::caller::send(request).await.unwrap());
            answers.push(visitor.bearing(&format!("{}x", tokens.access)).get("/v1/me").await);
            let change = json!({ "current_password": wrong, "new_password": password });
            answers.push(visitor.with(&tokens).put("/v1/me/password", change).await);
        }
        _ => {
            visitor.form("/oauth2/revoke", &[("token", &tokens.access)], None).await.expect(200);
            let asked = [("grant_type", "refresh_token"), ("refresh_token", wrong.as_str())];
            answers.push(visitor.form("/oauth2/token", &asked, Some((&email, &password))).await);
        }
    }
    canaries.extend([tokens.access, tokens.refresh]);
    for answer in answers {
        assert!(answer.status >= 400, "{}", answer.text);
        for canary in &canaries {
            let shown = answer.text.contains(canary.as_str())
                || answer
                    .headers
                    .values()
                    .any(|value| value.to_str().is_ok_and(|value| value.contains(canary.as_str())));
            assert!(!shown, "an answer repeats what was entered: {}", answer.text);
        }
    }
    canaries
}

/// What each canary has in it, whatever its kind.
const FEATHERS: [&str; 4] = ["@canary.example", "-long-song-", "udr_", "eyJ"];

/// Words that are canaries, however they were cut out of the text.
fn found<'a>(text: &str, canaries: &'a HashSet<String>) -> Vec<&'a String> {
    let is_of_word = |c: char| c.is_ascii_alphanumeric() || "-_.@".contains(c);
    let lines = text.lines().filter(|line| FEATHERS.iter().any(|feather| line.contains(feather)));
    let words = lines.flat_map(|line| line.split(|c| !is_of_word(c)));
    words.filter_map(|word| canaries.get(word.trim_matches('.'))).collect()
}

on_each_engine! {
    /// AC-133: canaries of every kind in every input.
    /// ASVS V16.2.5
    async fn canaries_are_found_nowhere_but_in_their_own_answers(app: TestApp) {
        let file = app.path("userd.log");
        let app = app
            .with("log.level", "trace")
            .with("log.file", file.to_str().unwrap())
            .with("log.rotation", "never")
            .with("log.buffer_lines", "1000000");
        let replica = app.open().await;
        let mut canaries = HashSet::new();
        for batch in 0..CANARIES / 20 {
            let birds: Vec<_> = (0..20).map(|bird| tokio::spawn(sing(replica.visitor(), batch * 20 + bird))).collect();
            for bird in birds {
                canaries.extend(bird.await.unwrap());
            }
        }
        let metrics = replica.visitor().get("/metrics").await.text;
        let ended = replica.stop().await;
        assert!(ended.status.success());
        let logged = std::fs::read_to_string(&file).unwrap();
        let console = ended.stdout.join("\n");
        // The log was there and talkative, and the search finds what is there.
        assert!(logged.lines().count() > CANARIES * 3, "{} lines", logged.lines().count());
        assert!(console.lines().count() > CANARIES * 3);
        for known in &canaries {
            assert_eq!(found(&format!("{{\"x\":\"{known}\"}}"), &canaries), [known]);
        }
        println!("{:?}: {} canaries, {} log lines", app.engine(), canaries.len(), logged.lines().count());
        for (place, text) in [
            ("the log file", logged.as_str()),
            ("the console", console.as_str()),
            ("stderr", ended.stderr.join("\n").as_str()),
            ("/metrics", metrics.as_str()),
        ] {
            let leaked = found(text, &canaries);
            assert!(leaked.is_empty(), "{} canaries in {place}, such as {}", leaked.len(), leaked[0]);
        }
    }
}
