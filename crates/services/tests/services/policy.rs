//! The policy as one table: who may do what. A change of it is a change of `policy_matrix.txt`, which is reviewed.

use std::fmt::Write as _;

use userd_model::{Act, Actor, ClientId, Permission, Role, SessionId, UserId};
use uuid::Uuid;

/// Written anew with `UPDATE=1`.
const REVIEWED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/policy_matrix.txt");

/// AC-095, AC-099: default deny; a right to see is no right to change, and a permission gives what it names only.
/// ASVS V8.1.1, V8.2.1
#[test]
#[expect(clippy::disallowed_methods, reason = "UPDATE=1 lets the test rewrite what it compares with")]
fn the_policy_is_the_reviewed_one() {
    let matrix = matrix();
    if std::env::var_os("UPDATE").is_some() {
        std::fs::write(REVIEWED, &matrix).unwrap();
    }
    let reviewed = std::fs::read_to_string(REVIEWED).unwrap();
    assert!(matrix == reviewed, "the policy has changed; if that is meant, UPDATE=1 stores it for review:\n{matrix}");
}

fn matrix() -> String {
    let mut table = String::new();
    let me = UserId(Uuid::from_u128(1));
    let columns = columns(me);
    let _infallible = write!(table, "{:<32}", "act");
    for (name, _) in &columns {
        let _infallible = write!(table, "{name:<29}");
    }
    table.push('\n');
    let another = UserId(Uuid::from_u128(2));
    for ((name, own), (_, others)) in Act::all(me).into_iter().zip(Act::all(another)) {
        let rows = if own == others { vec![("", own)] } else { vec![(" own", own), (" another's", others)] };
        for (whose, act) in rows {
            let _infallible = write!(table, "{:<32}", format!("{name}{whose}"));
            for (_, actor) in &columns {
                let _infallible = write!(table, "{:<29}", if actor.may(&act).is_ok() { "yes" } else { "-" });
            }
            table.push('\n');
        }
    }
    table.lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Everybody who can act: with nothing, with each built-in role, with each single permission, with everything.
fn columns(me: UserId) -> Vec<(String, Actor)> {
    let user = |permissions: &[Permission]| Actor::User {
        id: me,
        session_id: SessionId(Uuid::nil()),
        permissions: permissions.to_vec(),
    };
    let service = |permissions: &[Permission]| Actor::Service {
        // Even one that has a user's id is no user.
        id: ClientId(me.0),
        permissions: permissions.to_vec(),
        prefix: None,
    };
    let mut columns = vec![
        ("anonymous".to_owned(), Actor::Anonymous),
        ("member".to_owned(), user(&[])),
        ("admin".to_owned(), user(Permission::WELL_KNOWN)),
        ("operator".to_owned(), Actor::Operator),
        ("system".to_owned(), Actor::System),
        ("service".to_owned(), service(&[])),
    ];
    for name in Role::built_in_names().filter(|name| *name != Role::ADMIN) {
        let role = Role::built_in(name).unwrap();
        let held: Vec<Permission> = role.permissions.iter().filter_map(|word| Permission::parse(word)).collect();
        columns.push((name.to_owned(), user(&held)));
    }
    for permission in Permission::WELL_KNOWN {
        let held = std::slice::from_ref(permission);
        columns.push((format!("user:{permission}"), user(held)));
        columns.push((format!("service:{permission}"), service(held)));
    }
    columns
}
