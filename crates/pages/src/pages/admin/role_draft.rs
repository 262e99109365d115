//! A role as a form has it: every member as text, so that what was filled in is shown again, carried along and compared.

use userd_model::{InvalidField, Refusal, Role, RoleRules, UserId, role::AutoApprove};
use userd_services::roles::RoleInput;

use super::{
    filled,
    words::{chosen, names},
};
use crate::{fields::Fields, visit::Visit};

/// What a form says a role shall be.
#[derive(Clone, Debug, Default)]
pub(super) struct Draft {
    pub(super) name: String,
    pub(super) version: String,
    pub(super) permissions: Vec<String>,
    pub(super) includes: Vec<String>,
    pub(super) description: String,
    pub(super) requestable: bool,
    pub(super) approver_roles: String,
    pub(super) approver_users: String,
    pub(super) quorum: String,
    pub(super) decline_quorum: String,
    pub(super) reason_prompt: String,
    /// `no`, `all` or `roles`.
    pub(super) auto_approve: String,
    pub(super) auto_roles: String,
    pub(super) decide_in_chat: bool,
    pub(super) request_ttl: String,
    pub(super) max_duration: String,
}

impl Draft {
    pub(super) fn of(role: &Role) -> Self {
        let rules = &role.rules;
        let (auto_approve, auto_roles) = match &rules.auto_approve {
            AutoApprove::All(false) => ("no", String::new()),
            AutoApprove::All(true) => ("all", String::new()),
            AutoApprove::Holders { roles } => ("roles", roles.join(" ")),
        };
        let users: Vec<String> = rules.approvers.users.iter().map(UserId::to_string).collect();
        Self {
            name: role.name.clone(),
            version: role.version.to_string(),
            permissions: role.permissions.clone(),
            includes: rules.includes.clone(),
            description: rules.description.clone().unwrap_or_default(),
            requestable: rules.requestable,
            approver_roles: rules.approvers.roles.join(" "),
            approver_users: users.join(" "),
            quorum: rules.quorum.to_string(),
            decline_quorum: rules.decline_quorum.to_string(),
            reason_prompt: rules.reason_prompt.clone().unwrap_or_default(),
            auto_approve: auto_approve.to_owned(),
            auto_roles,
            decide_in_chat: rules.decide_in_chat,
            request_ttl: span(rules.request_ttl_seconds),
            max_duration: rules.max_duration_seconds.map(span).unwrap_or_default(),
        }
    }

    pub(super) fn read(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).trim().to_owned();
        let sorted = |mut list: Vec<String>| {
            list.sort_unstable();
            list.dedup();
            list
        };
        Self {
            name: text("name"),
            version: text("version"),
            permissions: chosen(fields),
            includes: sorted(names(fields.text("includes"))),
            description: text("description"),
            requestable: fields.text("requestable") == "yes",
            approver_roles: sorted(names(fields.text("approver_roles"))).join(" "),
            approver_users: names(fields.text("approver_users")).join(" "),
            quorum: text("quorum"),
            decline_quorum: text("decline_quorum"),
            reason_prompt: text("reason_prompt"),
            auto_approve: text("auto_approve"),
            auto_roles: names(fields.text("auto_roles")).join(" "),
            decide_in_chat: fields.text("decide_in_chat") == "yes",
            request_ttl: text("request_ttl"),
            max_duration: text("max_duration"),
        }
    }

    /// Every field with what is in it, as the next page carries it along.
    pub(super) fn carried(&self) -> Vec<(&'static str, String)> {
        let yes = |is: bool| if is { "yes" } else { "" }.to_owned();
        let mut all = vec![
            ("version", self.version.clone()),
            ("description", self.description.clone()),
            ("includes", self.includes.join(" ")),
            ("requestable", yes(self.requestable)),
            ("approver_roles", self.approver_roles.clone()),
            ("approver_users", self.approver_users.clone()),
            ("quorum", self.quorum.clone()),
            ("decline_quorum", self.decline_quorum.clone()),
            ("reason_prompt", self.reason_prompt.clone()),
            ("auto_approve", self.auto_approve.clone()),
            ("auto_roles", self.auto_roles.clone()),
            ("decide_in_chat", yes(self.decide_in_chat)),
            ("request_ttl", self.request_ttl.clone()),
            ("max_duration", self.max_duration.clone()),
        ];
        all.extend(self.permissions.iter().map(|word| ("permissions", word.clone())));
        all
    }

    /// The same for the service. What no form here shows stays as it is in `rules`.
    pub(super) fn input(&self, visit: &Visit, rules: &RoleRules) -> Result<RoleInput, Refusal> {
        let t = &visit.texts.admin.roles;
        let mut wrong = Vec::new();
        let mut noted = |pointer: &str, detail: &str| wrong.push(InvalidField::new(pointer, detail));
        let mut new = rules.clone();
        new.description = filled(&self.description);
        new.includes.clone_from(&self.includes);
        new.requestable = self.requestable;
        new.approvers.roles = names(&self.approver_roles);
        match names(&self.approver_users).iter().map(|id| id.parse()).collect::<Result<Vec<UserId>, _>>() {
            Ok(users) => new.approvers.users = users,
            Err(_) => noted("/approvers/users", t.users_wrong),
        }
        for (pointer, text, place) in [
            ("/quorum", &self.quorum, &mut new.quorum),
            ("/decline_quorum", &self.decline_quorum, &mut new.decline_quorum),
        ] {
            match text.parse() {
                Ok(number) => *place = number,
                Err(_) if text.is_empty() => {}
                Err(_) => noted(pointer, t.number_wrong),
            }
        }
        new.reason_prompt = filled(&self.reason_prompt);
        new.auto_approve = match self.auto_approve.as_str() {
            "all" => AutoApprove::All(true),
            "roles" => AutoApprove::Holders { roles: names(&self.auto_roles) },
            _ => AutoApprove::All(false),
        };
        new.decide_in_chat = self.decide_in_chat;
        match seconds(&self.request_ttl) {
            Some(ttl) => new.request_ttl_seconds = ttl,
            None if self.request_ttl.is_empty() => {}
            None => noted("/request_ttl_seconds", t.span_wrong),
        }
        match (self.max_duration.as_str(), seconds(&self.max_duration)) {
            ("", _) => new.max_duration_seconds = None,
            (_, Some(longest)) => new.max_duration_seconds = Some(longest),
            (_, None) => noted("/max_duration_seconds", t.span_wrong),
        }
        if wrong.is_empty() {
            Ok(RoleInput { permissions: self.permissions.clone(), rules: new })
        } else {
            Err(Refusal::InvalidInput(wrong))
        }
    }
}

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3600), ("m", 60), ("s", 1)];

/// A span of time as people write it: `7d`.
fn span(seconds: u64) -> String {
    let fits = UNITS.iter().find(|(_, unit)| seconds >= *unit && seconds.is_multiple_of(*unit));
    let (word, unit) = fits.unwrap_or(&("s", 1));
    format!("{}{word}", seconds / unit)
}

fn seconds(text: &str) -> Option<u64> {
    let (word, unit) = UNITS.iter().find(|(word, _)| text.ends_with(word))?;
    text.strip_suffix(word)?.trim().parse::<u64>().ok()?.checked_mul(*unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_of_time_is_read_as_it_is_written() {
        for (number, text) in [(604_800, "7d"), (5400, "90m"), (43_200, "12h"), (61, "61s"), (0, "0s")] {
            assert_eq!((span(number).as_str(), seconds(text)), (text, Some(number)));
        }
        for bad in ["", "7", "d", "-1d", "1.5h", "7w", "99999999999999999999d", "400000000000000000d"] {
            assert_eq!(seconds(bad), None, "{bad}");
        }
    }
}
