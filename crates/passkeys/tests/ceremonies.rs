//! What a browser answers is held against what it was asked: by an authenticator that can be made to lie.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests stop at the first surprise"
)]

use std::sync::Arc;

use serde_json::{Value, json};
use url::Url;
use userd_passkeys::{Passkeys, Person, RelyingParty, Wrong};
use userd_stand_ins::authenticator::Authenticator;
use uuid::Uuid;

const ORIGIN: &str = "https://id.example.org";
const HANDLE: Uuid = Uuid::from_u128(0x0197_0000_0000_7000_8000_0000_0000_0007);

fn passkeys() -> Arc<dyn Passkeys> {
    let party = RelyingParty {
        id: "example.org".to_owned(),
        name: "Example".to_owned(),
        origins: vec![Url::parse(ORIGIN).unwrap()],
        related: vec![Url::parse("https://example.net").unwrap()],
    };
    userd_passkeys::of(&party).unwrap()
}

const ADA: Person<'_> = Person { handle: HANDLE, name: "ada@example.org", display_name: "Ada" };

fn created(passkeys: &dyn Passkeys, authenticator: &mut Authenticator) -> Vec<u8> {
    let begun = passkeys.begin_creation(&ADA, &[]).unwrap();
    passkeys.finish_creation(&begun.state, &authenticator.create(&begun.options).unwrap()).unwrap().key
}

#[test]
fn options_are_what_browsers_take_and_demand_a_verified_user() {
    let passkeys = passkeys();
    let asked = passkeys.begin_creation(&ADA, &[vec![1, 2, 3]]).unwrap().options;
    assert_eq!(asked["rp"], json!({ "id": "example.org", "name": "Example" }));
    assert_eq!(
        asked["user"],
        json!({ "id": "AZcAAAAAcACAAAAAAAAABw", "name": "ada@example.org", "displayName": "Ada" })
    );
    assert_eq!(asked["authenticatorSelection"]["userVerification"], "required");
    assert_eq!(asked["authenticatorSelection"]["residentKey"], "required");
    assert_eq!(asked["attestation"], "none");
    assert_eq!(asked["excludeCredentials"], json!([{ "type": "public-key", "id": "AQID" }]));
    let asked = passkeys.begin_proof(&[]).unwrap().options;
    assert_eq!((&asked["rpId"], &asked["userVerification"]), (&json!("example.org"), &json!("required")));
    assert_eq!(asked["allowCredentials"], json!([]));
    let among = passkeys.begin_proof(&[vec![1, 2, 3]]).unwrap().options;
    assert_eq!(among["allowCredentials"], json!([{ "type": "public-key", "id": "AQID" }]));
    assert_eq!(asked["challenge"].as_str().unwrap().len(), 43, "256 bits");
    assert_ne!(asked["challenge"], passkeys.begin_proof(&[]).unwrap().options["challenge"]);
}

#[test]
fn a_passkey_that_was_made_proves_its_user() {
    let (passkeys, mut authenticator) = (passkeys(), Authenticator::at(ORIGIN));
    let key = created(&*passkeys, &mut authenticator);
    let begun = passkeys.begin_proof(&[]).unwrap();
    let answer = authenticator.get(&begun.options).unwrap();
    let named = passkeys.named(&answer).unwrap();
    assert_eq!(named.handle, Some(HANDLE));
    assert_eq!(named.credential_id, passkeys.credential_id(&key).unwrap());
    assert_eq!(passkeys.finish_proof(&begun.state, &answer, &key).unwrap().counter, 0);
    authenticator.origin = "https://example.net".to_owned();
    let answer = authenticator.get(&begun.options).unwrap();
    assert!(passkeys.finish_proof(&begun.state, &answer, &key).is_ok(), "a related origin");
    let held = [named.credential_id];
    let begun = passkeys.begin_creation(&ADA, &held).unwrap();
    assert!(authenticator.create(&begun.options).is_none(), "one for each authenticator");
}

/// What turns a true answer into a lie.
type Lie = fn(&mut Authenticator);
const LIES: [(&str, Lie); 6] = [
    ("no verified user", |it| it.verifies_user = false),
    ("nobody there", |it| it.user_is_present = false),
    ("a page elsewhere", |it| it.origin = "https://example.org.evil.example".to_owned()),
    ("a page below", |it| it.origin = "https://evil.id.example.org".to_owned()),
    ("another port", |it| it.origin = "https://id.example.org:8443".to_owned()),
    ("another domain", |it| it.signs_for = Some("example.com".to_owned())),
];

/// AC-141: an answer without user verification is taken; and what else an answer may lack.
#[test]
fn an_answer_without_a_verified_user_or_from_elsewhere_is_refused() {
    let (passkeys, mut honest) = (passkeys(), Authenticator::at(ORIGIN));
    let key = created(&*passkeys, &mut honest);
    for (what, lie) in LIES {
        let mut liar = honest.clone();
        lie(&mut liar);
        let begun = passkeys.begin_proof(&[]).unwrap();
        let answer = liar.get(&begun.options).unwrap();
        assert!(matches!(passkeys.finish_proof(&begun.state, &answer, &key), Err(Wrong::Refused(_))), "{what}");
        let begun = passkeys.begin_creation(&ADA, &[]).unwrap();
        let answer = liar.create(&begun.options).unwrap();
        assert!(matches!(passkeys.finish_creation(&begun.state, &answer), Err(Wrong::Refused(_))), "{what}");
    }
}

/// AC-032: the answer to one question is shown to another one; one ceremony's answer to the other.
#[test]
fn an_answer_is_good_for_its_own_question_alone() {
    let (passkeys, mut authenticator) = (passkeys(), Authenticator::at(ORIGIN));
    let key = created(&*passkeys, &mut authenticator);
    let (one, other) = (passkeys.begin_proof(&[]).unwrap(), passkeys.begin_proof(&[]).unwrap());
    let answer = authenticator.get(&one.options).unwrap();
    assert!(passkeys.finish_proof(&other.state, &answer, &key).is_err());
    let begun = passkeys.begin_creation(&ADA, &[]).unwrap();
    assert!(passkeys.finish_proof(&begun.state, &answer, &key).is_err());
    assert!(passkeys.finish_creation(&begun.state, &answer).is_err());
}

#[test]
fn a_signature_by_another_key_or_of_other_bytes_is_refused() {
    let passkeys = passkeys();
    let (mut mine, mut theirs) = (Authenticator::at(ORIGIN), Authenticator::at(ORIGIN));
    let (key, other) = (created(&*passkeys, &mut mine), created(&*passkeys, &mut theirs));
    let begun = passkeys.begin_proof(&[]).unwrap();
    let (answer, foreign) = (mine.get(&begun.options).unwrap(), theirs.get(&begun.options).unwrap());
    assert!(passkeys.finish_proof(&begun.state, &answer, &other).is_err());
    let mut mixed = answer.clone();
    mixed["response"]["signature"] = foreign["response"]["signature"].clone();
    assert!(passkeys.finish_proof(&begun.state, &mixed, &key).is_err());
    let mut renamed = foreign;
    for member in ["id", "rawId"] {
        renamed[member] = answer[member].clone();
    }
    assert!(passkeys.finish_proof(&begun.state, &renamed, &key).is_err());
    assert!(passkeys.finish_proof(&begun.state, &answer, &key).is_ok());
}

#[test]
fn a_copy_of_an_authenticator_that_counts_gives_itself_away() {
    let (passkeys, mut authenticator) = (passkeys(), Authenticator::at(ORIGIN));
    authenticator.counts = true;
    let key = created(&*passkeys, &mut authenticator);
    let mut copy = authenticator.clone();
    let begun = passkeys.begin_proof(&[]).unwrap();
    let proven = passkeys.finish_proof(&begun.state, &authenticator.get(&begun.options).unwrap(), &key).unwrap();
    assert_eq!(proven.counter, 2);
    let late = passkeys.finish_proof(&begun.state, &copy.get(&begun.options).unwrap(), &proven.key);
    assert_eq!(late.err(), Some(Wrong::Copied));
}

#[test]
fn what_is_no_answer_is_told_from_a_wrong_one() {
    let (passkeys, mut authenticator) = (passkeys(), Authenticator::at(ORIGIN));
    let key = created(&*passkeys, &mut authenticator);
    let begun = passkeys.begin_proof(&[]).unwrap();
    let mut of_another_kind = authenticator.get(&begun.options).unwrap();
    of_another_kind["type"] = json!("password");
    // Its members one after another, which serde would take for it.
    let mut in_an_array = authenticator.get(&begun.options).unwrap();
    let response = ["authenticatorData", "clientDataJSON", "signature", "userHandle"];
    in_an_array["response"] = response.iter().map(|name| in_an_array["response"][*name].clone()).collect();
    for bad in [Value::Null, json!({}), json!("x"), json!({ "id": 7 }), of_another_kind, in_an_array] {
        assert_eq!(passkeys.named(&bad), Err(Wrong::Malformed), "{bad}");
    }
    for bad in [json!({}), json!({ "id": "" })] {
        assert_eq!(passkeys.finish_creation(&begun.state, &bad).err(), Some(Wrong::Malformed));
        assert_eq!(passkeys.finish_proof(&begun.state, &bad, &key).err(), Some(Wrong::Malformed));
    }
}
