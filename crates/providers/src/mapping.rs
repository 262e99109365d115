//! Where things are in an answer that only the operator knows. A name is a member; with a slash first, a JSON pointer.

use serde_json::Value;

use crate::{
    answer::{Members, locale, note_email, phone, picture, scalar, truth},
    config::Mapping,
    profile::Profile,
};

/// A mapping and the standard claim names behind it.
pub(crate) struct Mapped<'a> {
    pub(crate) members: &'a Members,
    pub(crate) mapping: &'a Mapping,
}

impl Mapped<'_> {
    pub(crate) fn find(&self, given: Option<&String>, usual: &str) -> Option<&Value> {
        let path = given.map_or(usual, String::as_str);
        match path.strip_prefix('/') {
            Some(rest) => {
                let mut steps = rest.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
                let first = self.members.get(&steps.next()?)?;
                steps.try_fold(first, |value, step| match value {
                    Value::Array(items) => items.get(step.parse::<usize>().ok()?),
                    other => other.get(&step),
                })
            }
            None => self.members.get(path),
        }
    }

    pub(crate) fn text(&self, given: Option<&String>, usual: &str) -> Option<String> {
        self.find(given, usual).and_then(scalar)
    }

    /// Fills in everything but the subject. An address counts as proven by the operator's word; the provider's own
    /// counts for the domains that the operator lets it answer for.
    pub(crate) fn describe(&self, profile: &mut Profile, trust_email: Option<bool>, domains: &[String]) {
        let m = self.mapping;
        let claimed = truth(self.find(m.email_verified.as_ref(), "email_verified"));
        note_email(profile, self.text(m.email.as_ref(), "email"), (trust_email, claimed), |email| {
            claimed == Some(true) && domains.iter().any(|domain| domain == email.domain())
        });
        profile.phone = phone(self.text(m.phone.as_ref(), "phone_number"));
        profile.username = self.text(m.username.as_ref(), "preferred_username");
        profile.name = self.text(m.name.as_ref(), "name");
        profile.picture = picture(self.text(m.picture.as_ref(), "picture"));
        profile.birthday = self.text(m.birthday.as_ref(), "birthdate");
        profile.locale = locale(self.text(m.locale.as_ref(), "locale"));
        if let Some(Value::Array(groups)) = m.groups.as_ref().and_then(|path| self.find(Some(path), "")) {
            profile.groups = groups.iter().filter_map(scalar).filter(|g| g.len() <= 255).take(1000).collect();
        }
    }
}
