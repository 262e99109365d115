//! What pages say, in both languages, one line each: `key: "English", "Русский";`. A text without its translation, or one
//! that no page says, does not compile; tests find what was not translated. `{name}` stands for a value ([`fill`]); what is
//! counted has its forms between bars ([`count`]).

mod account;
mod admin;
mod common;
mod passkeys;
mod sign_in;

use userd_services::UserView;
use userd_web::problem::Language;

pub(crate) use common::Problems;
pub(crate) use sign_in::SignIn;

/// Everything that is said in one language.
pub(crate) struct Texts {
    pub(crate) common: common::Common,
    pub(crate) problems: common::Problems,
    pub(crate) admin: admin::Admin,
    pub(crate) sign_in: sign_in::SignIn,
    pub(crate) account: account::Account,
    pub(crate) passkeys: passkeys::Passkeys,
}

static ENGLISH: Texts = Texts {
    common: common::Common::ENGLISH,
    problems: common::Problems::ENGLISH,
    admin: admin::Admin::ENGLISH,
    sign_in: sign_in::SignIn::ENGLISH,
    account: account::Account::ENGLISH,
    passkeys: passkeys::Passkeys::ENGLISH,
};

static RUSSIAN: Texts = Texts {
    common: common::Common::RUSSIAN,
    problems: common::Problems::RUSSIAN,
    admin: admin::Admin::RUSSIAN,
    sign_in: sign_in::SignIn::RUSSIAN,
    account: account::Account::RUSSIAN,
    passkeys: passkeys::Passkeys::RUSSIAN,
};

/// The texts of a language.
pub(crate) const fn of(language: Language) -> &'static Texts {
    match language {
        Language::English => &ENGLISH,
        Language::Russian => &RUSSIAN,
    }
}

/// Makes a table of texts: a struct with a field for each, and its value in each language.
macro_rules! texts {
    ($(#[$doc:meta])* $name:ident { $($key:ident: $english:literal, $russian:literal;)+ }) => {
        $(#[$doc])*
        pub(crate) struct $name { $(pub(crate) $key: &'static str,)+ }

        impl $name {
            pub(in crate::texts) const ENGLISH: Self = Self { $($key: $english,)+ };
            pub(in crate::texts) const RUSSIAN: Self = Self { $($key: $russian,)+ };
            /// Every text: its key, in English, in Russian.
            #[cfg(test)]
            pub(in crate::texts) const ALL: &[(&str, &str, &str)] = &[$((stringify!($key), $english, $russian),)+];
        }
    };
}
use texts;

/// The text with a value in the place of `{name}`.
pub(crate) fn fill(text: &str, name: &str, value: &str) -> String {
    text.replace(&format!("{{{name}}}"), value)
}

/// The form of a counted text that goes with a number, with the number in place of `{n}`.
pub(crate) fn count(text: &str, number: u64, language: Language) -> String {
    let form = match (language, number % 10, number % 100) {
        (Language::English, ..) => usize::from(number != 1),
        (Language::Russian, 1, rest) if rest != 11 => 0,
        (Language::Russian, 2..=4, rest) if !(12..=14).contains(&rest) => 1,
        (Language::Russian, ..) => 2,
    };
    fill(text.split('|').nth(form).unwrap_or(text), "n", &number.to_string())
}

/// What somebody is called.
pub(crate) fn name_of(account: &UserView) -> String {
    let names = [&account.display_name, &account.username, &account.email, &account.phone];
    names.into_iter().flatten().next().cloned().unwrap_or_else(|| account.id.to_string())
}

#[cfg(test)]
mod tests;
