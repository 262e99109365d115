//! What facts tell of a role or a permission: what was before and what is now, as far as it is not the same. Nothing in it is
//! about a person, so it stands in the open and can be read in any proof.

use serde_json::{Map, Value, json};
use userd_model::{Role, permission::RegisteredPermission};

/// Of a role that was made.
pub(super) fn role_created(role: &Role) -> Value {
    json!({ "permissions": role.permissions, "after": both(&of_role(&Role::default()), &of_role(role)).1 })
}

/// Of a role that was changed.
pub(super) fn role_changed(old: &Role, new: &Role) -> Value {
    let (before, after) = both(&of_role(old), &of_role(new));
    json!({ "permissions": new.permissions, "before": before, "after": after })
}

/// Of a role that was removed; of a built-in one something is left.
pub(super) fn role_removed(old: &Role, left: Option<&Role>) -> Value {
    match left {
        None => json!({ "before": both(&of_role(&Role::default()), &of_role(old)).1 }),
        Some(left) => {
            let (before, after) = both(&of_role(old), &of_role(left));
            json!({ "before": before, "after": after })
        }
    }
}

/// Of a permission: what every one begins with is not told.
pub(super) fn permission(permission: &RegisteredPermission) -> Value {
    let bare = json!({ "description": null, "requestable": false, "managed": false });
    both(&bare, &of_permission(permission)).1
}

/// Of a permission that was changed.
pub(super) fn permission_changed(old: &RegisteredPermission, new: &RegisteredPermission) -> Value {
    let (before, after) = both(&of_permission(old), &of_permission(new));
    json!({ "before": before, "after": after })
}

fn of_role(role: &Role) -> Value {
    let mut all = serde_json::to_value(&role.rules).unwrap_or_default();
    if let Some(members) = all.as_object_mut() {
        members.insert("permissions".to_owned(), json!(role.permissions));
        members.insert("managed".to_owned(), json!(role.managed));
    }
    all
}

fn of_permission(permission: &RegisteredPermission) -> Value {
    let RegisteredPermission { description, requestable, managed, .. } = permission;
    json!({ "description": description, "requestable": requestable, "managed": managed })
}

/// The members that differ, as they were and as they are. Both have the same names.
fn both(before: &Value, after: &Value) -> (Value, Value) {
    let (mut was, mut is) = (Map::new(), Map::new());
    for (name, new) in after.as_object().into_iter().flatten() {
        let old = before.get(name).unwrap_or(&Value::Null);
        if old != new {
            was.insert(name.clone(), old.clone());
            is.insert(name.clone(), new.clone());
        }
    }
    (Value::Object(was), Value::Object(is))
}
