//! Who can sign in at the stand-ins. What a provider calls them is in its own file.

/// Somebody with an account at every provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestUser {
    /// The name in `?person=` and on the buttons.
    pub key: String,
    /// The account's number: Yandex' `id`, Telegram's numeric id, GitHub's `id`; other providers derive theirs.
    pub number: u64,
    /// The first name.
    pub first_name: String,
    /// The last name.
    pub last_name: String,
    /// The login; phone-only accounts have none.
    pub username: Option<String>,
    /// The address, if any.
    pub email: Option<String>,
    /// Whether the provider proved it, where it tells.
    pub email_verified: bool,
    /// E.164 with a plus, if any.
    pub phone: Option<String>,
    /// `YYYY-MM-DD`, unknown parts zeroed.
    pub birthday: Option<String>,
    /// Whether there is a picture.
    pub avatar: bool,
    /// The language.
    pub locale: String,
}

impl TestUser {
    /// A person with a login and nothing else; change the fields as needed.
    #[must_use]
    pub fn new(key: &str, number: u64) -> Self {
        Self {
            key: key.to_owned(),
            number,
            first_name: key.to_owned(),
            last_name: "Example".to_owned(),
            username: Some(format!("{key}_test")),
            email: None,
            email_verified: false,
            phone: None,
            birthday: None,
            avatar: false,
            locale: "en".to_owned(),
        }
    }

    /// With an address.
    #[must_use]
    pub fn with_email(mut self, email: &str, verified: bool) -> Self {
        self.email = Some(email.to_owned());
        self.email_verified = verified;
        self
    }

    /// First and last name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.first_name, self.last_name).trim().to_owned()
    }
}

/// The usual four: `ivan` has everything, `maria` only a phone, `oleg` neither address nor phone, `zoe` an address
/// that nobody proved.
#[must_use]
pub fn test_users() -> Vec<TestUser> {
    let ivan = TestUser {
        first_name: "Иван".to_owned(),
        last_name: "Петров".to_owned(),
        phone: Some("+79001234567".to_owned()),
        birthday: Some("1990-05-17".to_owned()),
        avatar: true,
        locale: "ru".to_owned(),
        ..TestUser::new("ivan", 424_242_424_242).with_email("ivan.petrov@yandex.ru", true)
    };
    let maria = TestUser {
        first_name: "Мария".to_owned(),
        last_name: "Котова".to_owned(),
        username: None,
        phone: Some("+79007654321".to_owned()),
        birthday: Some("0000-12-23".to_owned()),
        locale: "ru".to_owned(),
        ..TestUser::new("maria", 3_000_250_009)
    };
    let oleg = TestUser { first_name: "Oleg".to_owned(), ..TestUser::new("oleg", 77_001) };
    let zoe =
        TestUser { first_name: "Zoe".to_owned(), ..TestUser::new("zoe", 88_002) }.with_email("zoe@example.org", false);
    vec![ivan, maria, oleg, zoe]
}
