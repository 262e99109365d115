//! The session with curl that the README shows works to the letter.

use std::process::Stdio;

use tokio::process::Command;

use crate::support::{Engine, TestApp};

const README: &str = include_str!("../../../../README.md");

#[tokio::test]
async fn the_session_of_the_readme_works_to_the_letter() {
    let replica = TestApp::build(Engine::Sqlite).await.unwrap().open().await;
    let (_, rest) = README.split_once("## A session with curl\n\n```sh\n").expect("the session");
    let (session, _) = rest.split_once("```").expect("its end");
    let here = session.replace("http://127.0.0.1:8080", &replica.url);
    assert_ne!(here, session);
    let output =
        Command::new("bash").args(["-euo", "pipefail", "-c", &here]).stdin(Stdio::null()).output().await.unwrap();
    let (told, wrong) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{told}\n{wrong}");
    assert!(told.contains(r#""email":"ivan@example.org""#) && told.contains(r#""display_name":"Иван""#), "{told}");
    assert!(told.contains(r#""device_name":"laptop""#), "{told}");
    assert_eq!(told.matches("204\n").count(), 3, "a session ended, a password changed, signed out: {told}");
    assert!(!told.contains("/problems/"), "{told}");
}
