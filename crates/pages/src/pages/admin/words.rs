//! Permissions as they are chosen in a form: those that are known as boxes, further ones by their words.

use maud::{Markup, html};
use userd_model::{Act, Permission, built_in_texts::about};
use userd_services::{Failure, roles::PermissionView};

use crate::{
    fields::Fields,
    parts::{Field, field},
    visit::Visit,
};

/// Permissions that are offered as boxes; whoever has registered more writes their words.
const OFFERED: u32 = 200;

/// What can be chosen. Whoever may not see it knows it.
pub(super) async fn offered(visit: &Visit) -> Result<Vec<PermissionView>, Failure> {
    if visit.ctx.may(&Act::ReadRoles).is_err() {
        return Ok(Vec::new());
    }
    visit.site.services.permissions.page(&visit.ctx, None, OFFERED).await
}

/// What a form has chosen, in order, each once.
pub(super) fn chosen(fields: &Fields) -> Vec<String> {
    let boxes = fields.texts("permissions").map(str::to_owned);
    let mut all: Vec<String> = boxes.chain(names(fields.text("other_permissions"))).collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Names with spaces, commas or lines between them.
pub(super) fn names(text: &str) -> Vec<String> {
    let parts = text.split(|letter: char| letter.is_whitespace() || letter == ',');
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// The boxes, and a field for the rest.
pub(super) fn choice(visit: &Visit, offered: &[PermissionView], chosen: &[String], wrong: &str) -> Markup {
    let t = &visit.texts.admin.roles;
    let others: Vec<&str> =
        chosen.iter().filter(|word| !offered.iter().any(|known| known.name == **word)).map(String::as_str).collect();
    let may_give = |word: &str| Permission::parse(word).is_some_and(|word| visit.ctx.actor.may_give(&word));
    let greyed = offered.iter().any(|word| !may_give(&word.name));
    html! {
        fieldset.field {
            legend { (t.permissions) }
            @if greyed { p.hint { (t.not_yours) } }
            div.boxes {
                @for (at, word) in offered.iter().enumerate() {
                    @let (id, is_chosen) = (format!("permission-{at}"), chosen.contains(&word.name));
                    label.check for=(id) {
                        input id=(id) type="checkbox" name="permissions" value=(word.name) checked[is_chosen]
                            disabled[!is_chosen && !may_give(&word.name)];
                        span {
                            (word.name)
                            @if let Some(text) = &word.description { span.about { (about(text, visit.language)) } }
                        }
                    }
                }
            }
        }
        (field(Field {
            name: "other_permissions", label: t.others, hint: t.others_hint, value: &others.join(" "), wrong,
            autocomplete: "off", ..Field::default()
        }))
    }
}
