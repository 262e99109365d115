//! Accounts: what may become of one, and what it leaves.

use super::*;

pub(crate) fn user(security_epoch: i64) -> User {
    User {
        id: UserId(uuid::Uuid::nil()),
        status: UserStatus::Active,
        username: None,
        email: None,
        email_verified: false,
        phone: None,
        data_key: None,
        display_name: None,
        locale: None,
        time_zone: None,
        attributes: serde_json::Map::new(),
        roles: Vec::new(),
        held: Held::default(),
        security_epoch,
        version: 7,
        created_at: Timestamp::from_seconds(1),
        updated_at: Timestamp::from_seconds(1),
        last_sign_in_at: None,
        blocked_until: None,
        awaits_approval_since: None,
        block_reason: None,
    }
}

/// A block with an end is over at that moment, without anybody's doing (11.5).
#[test]
fn a_block_ends_by_itself() {
    let at = Timestamp::from_seconds;
    let mut user = user(1);
    user.block(Some(at(20)), at(10)).expect("an active account");
    for (now, status) in [(10, UserStatus::Blocked), (19, UserStatus::Blocked), (20, UserStatus::Active)] {
        assert_eq!(user.status_at(at(now)), status, "{now}");
        assert_eq!(user.must_be_active(at(now)).is_ok(), status == UserStatus::Active);
    }
    assert_eq!((user.security_epoch, user.version), (2, 8));
    user.block(Some(at(20)), at(11)).expect("again");
    assert_eq!(user.version, 8, "nothing new");
    user.block(None, at(12)).expect("for good");
    assert_eq!((user.security_epoch, user.version, user.status_at(at(99))), (2, 9, UserStatus::Blocked));
    user.block(Some(at(13)), at(12)).expect("shorter");
    user.block(None, at(14)).expect("anew, after it was over");
    assert_eq!(user.security_epoch, 3, "whoever signed in meanwhile is out");
}

/// The epoch alone must refuse what was issued before, whatever else ends with it (fault 38).
#[test]
fn a_block_and_a_sign_out_raise_the_epoch_by_one_and_count_as_a_change() {
    for epoch in [0, 1, 2, 41] {
        let now = Timestamp::from_seconds(9);
        let mut blocked = user(epoch);
        blocked.block(None, now).expect("an active account");
        let mut signed_out = user(epoch);
        signed_out.raise_epoch(now);
        for changed in [blocked, signed_out] {
            assert_eq!((changed.security_epoch, changed.version, changed.updated_at), (epoch + 1, 8, now));
        }
        let mut unblocked = User { status: UserStatus::Blocked, ..user(epoch) };
        unblocked.unblock(now).expect("an account that is not deleted");
        assert_eq!((unblocked.security_epoch, unblocked.version), (epoch, 8), "nothing is revoked by it");
    }
}

/// Stored and published: no release may write another one (fault 38).
#[test]
fn the_words_of_a_status_are_fixed() {
    let words = [(UserStatus::Active, "active"), (UserStatus::Blocked, "blocked"), (UserStatus::Deleted, "deleted")];
    for (status, word) in words {
        assert_eq!((status.as_str(), UserStatus::parse(word)), (word, Some(status)));
        assert_eq!(serde_json::to_value(status).expect("JSON"), word);
    }
    assert_eq!(UserStatus::parse("Active"), None);
}

#[test]
fn sealed_bytes_are_one_short_text_in_json() {
    let sealed = Sealed(vec![0, 255, 7]);
    let text = serde_json::to_string(&sealed).expect("JSON");
    assert_eq!(text, r#""AP8H""#);
    assert_eq!(serde_json::from_str::<Sealed>(&text).expect("back"), sealed);
    assert!(serde_json::from_str::<Sealed>(r#""not base64!""#).is_err());
}

const NOW: Timestamp = Timestamp::from_seconds(9);

fn full(status: UserStatus) -> User {
    User {
        status,
        username: Some(Username::stored("anna".to_owned())),
        email: Some(Sealed(vec![1])),
        email_verified: true,
        phone: Some(Sealed(vec![2])),
        data_key: Some(Sealed(vec![3])),
        display_name: Some("Anna".to_owned()),
        locale: Some("ru".to_owned()),
        time_zone: Some("UTC".to_owned()),
        attributes: serde_json::Map::from_iter([("theme".to_owned(), "dark".into())]),
        roles: vec!["editor".to_owned()],
        held: Held { permissions: vec!["a.b".to_owned()], ..Held::default() },
        blocked_until: Some(Timestamp::from_seconds(99)),
        block_reason: Some(Sealed(vec![4])),
        ..user(3)
    }
}

#[test]
fn a_change_is_made_to_the_version_that_it_was_prepared_against() {
    let user = user(1);
    for (expected, answer) in [
        (None, Ok(())),
        (Some(7), Ok(())),
        (Some(6), Err(Refusal::VersionMismatch)),
        (Some(8), Err(Refusal::VersionMismatch)),
    ] {
        assert_eq!(user.must_have_version(expected), answer, "{expected:?}");
    }
}

#[test]
fn who_is_out_is_told_no_more_than_is_theirs_to_know() {
    for (status, answer) in [
        (UserStatus::Active, Ok(())),
        (UserStatus::Blocked, Err(Refusal::Blocked)),
        (UserStatus::Deleted, Err(Refusal::NotSignedIn)),
    ] {
        assert_eq!(User { status, ..user(1) }.must_be_active(NOW), answer);
    }
    let ended = Some(Timestamp::from_seconds(1));
    let deleted = User { status: UserStatus::Deleted, blocked_until: ended, ..user(1) };
    assert_eq!(deleted.status_at(NOW), UserStatus::Deleted, "only a block ends by itself");
}

#[test]
fn an_account_that_waits_or_is_out_is_not_in_use() {
    assert!(user(1).is_in_use(NOW));
    assert!(!User { awaits_approval_since: Some(NOW), ..user(1) }.is_in_use(NOW));
    for status in [UserStatus::Blocked, UserStatus::Deleted] {
        assert!(!User { status, ..user(1) }.is_in_use(NOW), "{status:?}");
    }
    let over = User { status: UserStatus::Blocked, blocked_until: Some(NOW), ..user(1) };
    assert!(over.is_in_use(NOW));
    let mut approved = User { awaits_approval_since: Some(NOW), ..user(1) };
    approved.decide_approval(NOW);
    assert_eq!((approved.awaits_approval_since, approved.version, approved.security_epoch), (None, 8, 1));
}

/// Only an address that nobody has proven, of an account that is deleted, is for whoever wants it.
#[test]
fn an_address_is_given_up_only_by_who_never_proved_it_and_is_gone() {
    for status in UserStatus::ALL {
        for (email, email_verified, only_claimed) in [
            (None, false, false),
            (None, true, false),
            (Some(Sealed(vec![1])), true, false),
            (Some(Sealed(vec![1])), false, true),
        ] {
            let user = User { status, email, email_verified, ..user(1) };
            assert_eq!(user.only_claims_its_address(), only_claimed);
            assert_eq!(user.gives_up_its_address(), only_claimed && status == UserStatus::Deleted, "{status:?}");
        }
    }
}

#[test]
fn a_profile_changes_in_what_is_said_and_in_nothing_else() {
    let before = full(UserStatus::Active);
    let changed = |change: ProfileChange| {
        let mut user = before.clone();
        user.change_profile(change, NOW);
        assert_eq!((user.version, user.updated_at, user.security_epoch), (8, NOW, 3));
        User { version: before.version, updated_at: before.updated_at, ..user }
    };
    let nothing = ProfileChange::default;
    assert_eq!(changed(nothing()), before);
    for (change, after) in [
        (ProfileChange { display_name: Some(None), ..nothing() }, User { display_name: None, ..before.clone() }),
        (
            ProfileChange { locale: Some(Some("en".to_owned())), ..nothing() },
            User { locale: Some("en".to_owned()), ..before.clone() },
        ),
        (ProfileChange { time_zone: Some(None), ..nothing() }, User { time_zone: None, ..before.clone() }),
        (
            ProfileChange { attributes: Some(serde_json::Map::new()), ..nothing() },
            User { attributes: serde_json::Map::new(), ..before.clone() },
        ),
        (ProfileChange { forgets_phone: true, ..nothing() }, User { phone: None, ..before.clone() }),
    ] {
        assert_eq!(changed(change), after);
    }
}

#[test]
fn a_deleted_account_is_restored_and_nothing_else() {
    let mut gone = full(UserStatus::Active);
    assert_eq!(gone.restore(UserStatus::Active, NOW), Err(Refusal::NotFound), "it is there");
    assert_eq!(gone.delete(NOW), Ok(UserStatus::Active));
    assert_eq!((gone.status, gone.security_epoch, gone.version), (UserStatus::Deleted, 4, 8));
    let after = gone.clone();
    assert_eq!(gone.delete(NOW), Err(Refusal::NotFound));
    assert_eq!(gone.block(None, NOW), Err(Refusal::NotFound));
    assert_eq!(gone.unblock(NOW), Err(Refusal::NotFound));
    assert_eq!(gone, after, "what is refused changes nothing");
    assert_eq!(gone.restore(UserStatus::Blocked, NOW), Ok(()));
    assert_eq!((gone.status, gone.security_epoch, gone.version), (UserStatus::Blocked, 4, 9));
}

/// A block survives deletion; one that had ended by itself does not come back with the account.
#[test]
fn a_deletion_says_what_the_account_was_at_that_moment() {
    for (until, before) in [(None, UserStatus::Blocked), (Some(NOW), UserStatus::Active)] {
        let mut user = User { status: UserStatus::Blocked, blocked_until: until, ..user(1) };
        assert_eq!(user.delete(NOW), Ok(before));
    }
}

#[test]
fn an_unblocked_account_keeps_nothing_of_its_block() {
    let mut user = full(UserStatus::Blocked);
    user.unblock(NOW).expect("not deleted");
    assert_eq!((user.status, &user.blocked_until, &user.block_reason), (UserStatus::Active, &None, &None));
    let after = user.clone();
    user.unblock(NOW).expect("not deleted");
    assert_eq!(user, after, "it was not blocked");
}

/// What is left names nobody, and no token of before is good.
#[test]
fn an_erased_account_keeps_its_id_and_its_counts() {
    let mut user = full(UserStatus::Deleted);
    user.erase(NOW);
    let expected =
        User { status: UserStatus::Deleted, security_epoch: 4, version: 8, updated_at: NOW, ..super::tests::user(3) };
    assert_eq!(user, expected);
}
