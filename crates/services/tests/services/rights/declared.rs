//! Roles that a file declares: planned, applied, managed.

use userd_model::{Refusal, RoleRules, role::Approvers};
use userd_services::roles::{Declared, Planned};

use super::support::{allowing, requestable};
use crate::{
    fixture::{Fixture, refusal, wrong_fields},
    personas::acting,
};

/// A file says what roles there are: the difference is shown first, what is declared is managed, what is declared no longer
/// stays and is nobody's to manage. (12.1)
#[apply(case)]
async fn declared_roles_are_planned_applied_and_managed(fixture: Fixture) {
    let app = fixture.app().await;
    let (ctx, root) = (app.operator_context(), app.admin().await);
    let including = RoleRules { includes: vec!["writer".into()], ..RoleRules::default() };
    let mut declared = Declared {
        permissions: vec![("cms.write".into(), Some("Write".into()), false)],
        roles: vec![
            ("chief".into(), allowing(&[], including)),
            ("writer".into(), allowing(&["cms.write"], requestable())),
            ("support".into(), allowing(&["users.read"], RoleRules::default())),
        ],
    };
    let planned = app.roles.plan(&ctx, &declared).await.unwrap();
    let words =
        |planned: &[Planned]| planned.iter().map(|one| format!("{} {}", one.change, one.name)).collect::<Vec<_>>();
    assert_eq!(words(&planned), ["add cms.write", "add chief", "add writer", "change support"]);
    assert!(planned[3].differences.contains(&"- permission deliveries.read".to_owned()), "{planned:?}");
    assert_eq!(refusal(app.roles.show(&ctx, "writer").await), Refusal::NotFound, "a plan changes nothing");
    let root_acts = acting(&app, &app.actor(&root).await);
    assert_eq!(refusal(app.roles.apply(&root_acts, &app.permissions, &declared).await), Refusal::Forbidden);
    assert_eq!(app.roles.apply(&ctx, &app.permissions, &declared).await.unwrap(), planned);
    assert_eq!(app.roles.plan(&ctx, &declared).await.unwrap(), []);
    let answer = app.roles.replace(&root_acts, "writer", &allowing(&[], RoleRules::default()), None).await;
    assert_eq!(refusal(answer), Refusal::ManagedByConfiguration);
    assert_eq!(refusal(app.roles.remove(&root_acts, "writer", None).await), Refusal::ManagedByConfiguration);
    let exported = app.roles.export(&ctx).await.unwrap();
    assert_eq!(exported.roles.len(), 3);
    assert_eq!(app.roles.plan(&ctx, &exported).await.unwrap(), [], "what is exported is what is there");
    // A permission is the configuration's like a role.
    assert_eq!(refusal(app.permissions.remove(&root_acts, "cms.write").await), Refusal::ManagedByConfiguration);
    declared.permissions[0] = ("cms.write".into(), Some(" Write articles ".into()), true);
    let planned = app.roles.apply(&ctx, &app.permissions, &declared).await.unwrap();
    assert_eq!(words(&planned), ["change cms.write"]);
    let differences = ["description: \"Write\" -> \"Write articles\"", "requestable: false -> true"];
    assert_eq!(planned[0].differences, differences);
    assert_eq!(app.roles.plan(&ctx, &declared).await.unwrap(), []);
    app.register_permission("cms.read").await;
    declared.permissions.push(("cms.read".into(), None, false));
    assert_eq!(words(&app.roles.apply(&ctx, &app.permissions, &declared).await.unwrap()), ["manage cms.read"]);
    declared.permissions.remove(1);
    declared.roles.remove(2);
    let released = app.roles.apply(&ctx, &app.permissions, &declared).await.unwrap();
    assert_eq!(words(&released), ["release support", "release cms.read"]);
    assert!(!app.roles.show(&ctx, "support").await.unwrap().managed);
    app.permissions.remove(&root_acts, "cms.read").await.unwrap();
}

/// A plan refuses what applying would refuse, all of it at its place in the file; and a file that is refused changes nothing.
#[apply(case)]
async fn what_cannot_be_applied_cannot_be_planned(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let including = |names: &[&str]| RoleRules {
        includes: names.iter().map(|name| (*name).to_owned()).collect(),
        ..RoleRules::default()
    };
    let nobody = RoleRules {
        approvers: Approvers {
            roles: vec!["nobody".into()],
            users: vec!["0197f9c2-0000-7000-8000-000000000000".parse().unwrap()],
        },
        ..RoleRules::default()
    };
    let declared = Declared {
        permissions: vec![
            ("cms.write".into(), None, false),
            ("Cms".into(), None, false),
            ("users.read".into(), None, false),
            ("..".into(), None, false),
        ],
        roles: vec![
            ("writer".into(), allowing(&["cms.write", "cms.rite"], including(&["support"]))),
            ("itself".into(), allowing(&[], including(&["itself"]))),
            ("one".into(), allowing(&[], including(&["other"]))),
            ("other".into(), allowing(&[], including(&["one"]))),
            ("asked".into(), allowing(&[], nobody)),
            ("..".into(), allowing(&[], RoleRules::default())),
            ("admin".into(), allowing(&[], RoleRules::default())),
            ("writer".into(), allowing(&[], RoleRules::default())),
        ],
    };
    let expected = [
        "/permissions/1/name",
        "/permissions/2/name",
        "/permissions/3/name",
        "/roles/1/includes",
        "/roles/5/name",
        "/roles/6/name",
        "/roles/7/name",
        "/roles/0/permissions/1",
        "/roles/2/includes/0",
        "/roles/3/includes/0",
        "/roles/4/approvers/roles/0",
        "/roles/4/approvers/users/0",
    ];
    assert_eq!(wrong_fields(app.roles.plan(&ctx, &declared).await), expected);
    assert_eq!(wrong_fields(app.roles.apply(&ctx, &app.permissions, &declared).await), expected);
    assert_eq!(refusal(app.roles.show(&ctx, "writer").await), Refusal::NotFound, "nothing was made");
    // What is lawful in the end is applied, whatever order the file has.
    app.make_role("inner", &[], RoleRules::default()).await;
    app.make_role("outer", &[], including(&["inner"])).await;
    let turned = Declared {
        permissions: Vec::new(),
        roles: vec![
            ("inner".into(), allowing(&[], including(&["outer"]))),
            ("outer".into(), allowing(&[], RoleRules::default())),
        ],
    };
    let planned = app.roles.plan(&ctx, &turned).await.unwrap();
    assert_eq!(app.roles.apply(&ctx, &app.permissions, &turned).await.unwrap(), planned);
    assert_eq!(app.roles.plan(&ctx, &turned).await.unwrap(), []);
    for name in [".", "..", ".hidden"] {
        let made = app.roles.create(&ctx, name, &allowing(&[], RoleRules::default()), None).await;
        assert_eq!(wrong_fields(made), ["/name"], "{name}");
        assert_eq!(wrong_fields(app.permissions.register(&ctx, name, None, false, None).await), ["/name"], "{name}");
    }
}
