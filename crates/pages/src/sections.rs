//! The sections of administration, and who may see each. Deliberately absent: their pages (`pages/admin/`), whose lines in
//! `policy.rs` say it again for whoever types the address.

use userd_model::Act;

use crate::visit::Visit;

/// The sections that the visitor may see: their paths, and what they are called.
pub(crate) fn of(visit: &Visit) -> Vec<(&'static str, &'static str)> {
    let t = &visit.texts.admin;
    let may = |act: Act| visit.ctx.may(&act).is_ok();
    let all = [("/admin/users", t.frame.users, may(Act::ListUsers))];
    all.into_iter().filter(|(.., may)| *may).map(|(path, name, _)| (path, name)).collect()
}
