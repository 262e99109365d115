//! Which messages there are: names, categories, values.

use url::Url;
pub use userd_model::preferences::Category;
use userd_model::{Timestamp, texts::Language};

use crate::{Value, Values, tag};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal, $category:ident, [$($value:ident),*], [$($optional:ident),*];)+) => {
        /// A message that the service writes.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind { $($(#[$doc])* $name),+ }

        impl Kind {
            /// Every message.
            pub const ALL: &'static [Self] = &[$(Self::$name),+];

            /// Its name, as files and commands say it.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word),+ }
            }

            /// What it is about.
            #[must_use]
            pub const fn category(self) -> Category {
                match self { $(Self::$name => Category::$category),+ }
            }

            /// The values that are always there.
            #[must_use]
            pub const fn values(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$(stringify!($value)),*]),+ }
            }

            /// The values that may be empty.
            #[must_use]
            pub const fn optional(self) -> &'static [&'static str] {
                match self { $(Self::$name => &[$(stringify!($optional)),*]),+ }
            }

            pub(crate) const fn text(self, language: Language) -> &'static str {
                match (self, language) {
                    $(
                        (Self::$name, Language::English) => include_str!(concat!("../messages/", $word, ".en.yaml")),
                        (Self::$name, Language::Russian) => include_str!(concat!("../messages/", $word, ".ru.yaml")),
                    )+
                }
            }
        }
    };
}

kinds! {
    /// A sign-in from a device that was not seen before.
    NewDevice = "new_device", Security, [site, at, link], [device, address];
    /// The password was changed.
    PasswordChanged = "password_changed", Security, [site, at, link], [device, address];
    /// The e-mail address was changed; goes to the old one too.
    EmailChanged = "email_changed", Security, [site, at, link], [device, address];
    /// A further address was proven.
    EmailAdded = "email_added", Security, [site, at, email, link], [device, address];
    /// A further address was removed.
    EmailRemoved = "email_removed", Security, [site, at, email, link], [device, address];
    /// Somebody is asked to prove an address.
    ConfirmAddress = "confirm_address", Account, [site, link, code], [];
    /// Somebody was asked to prove an address that has an account.
    AddressTaken = "address_taken", Account, [site], [];
    /// A link that sets a new password.
    ResetPassword = "reset_password", Account, [site, at, link], [device, address];
    /// A code that signs in.
    SignInCode = "sign_in_code", Account, [site, at, code], [device, address];
    /// An invitation to register.
    Invitation = "invitation", Account, [site, link, until], [];
    /// The account was deleted; with a link where its owner may have it back.
    AccountDeleted = "account_deleted", Account, [site, at, until], [link];
    /// The username was changed.
    UsernameChanged = "username_changed", Security, [site, at, username, link], [device, address];
    /// An account elsewhere was linked.
    WayInAdded = "way_in_added", Security, [site, at, provider, link], [device, address];
    /// An account elsewhere was unlinked.
    WayInRemoved = "way_in_removed", Security, [site, at, provider, link], [device, address];
    /// A refresh token was used by two parties; the session was ended.
    SessionStolen = "session_stolen", Security, [site, at, link], [device, address];
    /// A second factor was set up.
    FactorAdded = "factor_added", Security, [site, at, passkey, link], [device, address];
    /// A second factor was removed.
    FactorRemoved = "factor_removed", Security, [site, at, passkey, link], [device, address];
    /// A new set of recovery codes was made.
    RecoveryCodesMade = "recovery_codes_made", Security, [site, at, link], [device, address];
    /// A recovery code stood for the second factor.
    RecoveryCodeUsed = "recovery_code_used", Security, [site, at, link], [device, address];
    /// A role was given or taken away.
    RoleChanged = "role_changed", Security, [site, at, role, granted], [link];
    /// An administrator shut the account.
    AccountBlocked = "account_blocked", Security, [site, at], [reason];
    /// A receiver of events failed for days and is called no more.
    WebhookDisabled = "webhook_disabled", Administration, [site, at, url, days], [reason];
    /// Somebody asks for a change of their rights, and the reader may decide.
    AccessRequested = "access_requested", Administration, [site, at, who, what, account, granted, escalated], [];
    /// A request of the reader's was decided, or has expired.
    AccessDecided = "access_decided", Account, [site, at, what, account, approved, expired], [reason];
    /// Something that the reader holds ends soon.
    AccessEnding = "access_ending", Account, [site, what, until], [];
    /// What another service says.
    Message = "message", Message, [title, body], [action];
}

impl Kind {
    /// The file that replaces it: `new_device.ru.yaml`.
    #[must_use]
    pub fn file(self, language: Language) -> String {
        format!("{}.{}.yaml", self.as_str(), tag(language))
    }

    /// Values as they could be, for a preview and for trying a template.
    #[must_use]
    pub fn sample(self, language: Language) -> Values {
        let words = |english: &str, russian: &str| match language {
            Language::English => Value::Words(english.to_owned()),
            Language::Russian => Value::Words(russian.to_owned()),
        };
        let link = |url: &str| Url::parse(url).map_or_else(|_| Value::Words(String::new()), Value::Link);
        let mut values = Values::default();
        for name in self.values().iter().chain(self.optional()) {
            let value = match *name {
                "site" => Value::Words("users.example.org".to_owned()),
                "at" | "until" => Value::Moment(Timestamp::from_seconds(1_795_961_000)),
                "link" => link("https://users.example.org/l/sample-of-a-link"),
                "action" => link("https://shop.example.org/orders/17"),
                "device" => words("Firefox on Linux", "Firefox, Linux"),
                "address" => Value::Exact("203.0.113.17".to_owned()),
                "code" => Value::Exact("482915".to_owned()),
                "email" => Value::Exact("anna@example.net".to_owned()),
                "username" => Value::Words("anna.petrova".to_owned()),
                "provider" => words("Yandex", "Яндекс"),
                "who" => words("Anna Petrova", "Анна Петрова"),
                "role" | "what" => Value::Words("editor".to_owned()),
                "granted" | "days" | "approved" => Value::Count(1),
                "passkey" | "expired" | "escalated" => Value::Count(0),
                "reason" => words("asked for by its owner", "по просьбе владельца"),
                "url" => Value::Words("https://shop.example.org/hooks".to_owned()),
                "title" => words("Your order is on its way", "Ваш заказ в пути"),
                _ => match language {
                    Language::English => Value::Text("It arrives on Tuesday.\nBe at home.".to_owned()),
                    Language::Russian => Value::Text("Он прибудет во вторник.\nБудьте дома.".to_owned()),
                },
            };
            values = values.with(name, value);
        }
        values
    }
}
