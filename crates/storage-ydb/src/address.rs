//! `grpcs://[user:password@]host:port/path[?…]`: checked here, because the client library ends the process over some of
//! what it is given, and takes other things without a word.

use url::Url;

/// How this program shows who it is.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
    /// Not at all.
    Anonymous,
    /// A user of the database.
    Password {
        /// Its name.
        user: String,
        /// Its password.
        password: String,
    },
    /// A token in a file, read again when it is renewed.
    TokenFile(String),
    /// The key file of a service account.
    ServiceAccountFile(String),
    /// What the machine in the cloud says to those who run on it.
    Metadata,
}

/// Where a database is.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// `grpc` or `grpcs`.
    pub scheme: String,
    /// Host and port.
    pub authority: String,
    /// From the root of the cluster.
    pub database: String,
    /// Who asks.
    pub login: Login,
    /// Whether the cluster is asked for its nodes. Not behind a balancer that hides them.
    pub discovery: bool,
}

/// The way in stands in it.
impl std::fmt::Debug for Address {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.endpoint())
    }
}

impl Address {
    /// Reads a URL.
    ///
    /// # Errors
    /// What is wrong; never the URL.
    pub fn parse(text: &str) -> Result<Self, String> {
        let url = Url::parse(text).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "grpc" | "grpcs") {
            return Err("the scheme is grpc:// or grpcs://".to_owned());
        }
        let host = url.host_str().filter(|host| !host.is_empty()).ok_or("no host")?;
        let port = url.port().ok_or("no port; YDB listens at 2136, or 2135 with TLS")?;
        let database = url.path().trim_end_matches('/');
        if database.is_empty() {
            return Err("no database; its path from the root stands behind the port, such as /local".to_owned());
        }
        if url.fragment().is_some() {
            return Err("fragment given".to_owned());
        }
        let mut address = Self {
            scheme: url.scheme().to_owned(),
            authority: format!("{host}:{port}"),
            database: database.to_owned(),
            login: in_user_info(&url)?,
            discovery: true,
        };
        for (name, value) in url.query_pairs() {
            address.option(&name, &value)?;
        }
        Ok(address)
    }

    /// Without path and login.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("{}://{}", self.scheme, self.authority)
    }

    fn option(&mut self, name: &str, value: &str) -> Result<(), String> {
        let login = match name {
            "use_discovery" => {
                self.discovery = match value {
                    "true" => true,
                    "false" => false,
                    _ => return Err("use_discovery is true or false".to_owned()),
                };
                return Ok(());
            }
            "token_file" => Login::TokenFile(value.to_owned()),
            "sa_key_file" => Login::ServiceAccountFile(value.to_owned()),
            "token_metadata" if matches!(value, "yandex-cloud" | "google") => Login::Metadata,
            "token_metadata" => return Err("token_metadata is yandex-cloud or google".to_owned()),
            "token" => return Err("a token stands in a file: token_file=…".to_owned()),
            other => {
                return Err(format!(
                    "`{other}` is not known; use_discovery, token_file, sa_key_file, token_metadata are"
                ));
            }
        };
        if self.login != Login::Anonymous {
            return Err("there is more than one way to log in".to_owned());
        }
        self.login = login;
        Ok(())
    }
}

fn in_user_info(url: &Url) -> Result<Login, String> {
    let plain = |text: &str| {
        let decoded = percent_encoding::percent_decode_str(text).decode_utf8();
        decoded.map(std::borrow::Cow::into_owned).map_err(|_| "user or password are not UTF-8".to_owned())
    };
    match (url.username(), url.password()) {
        ("", None) => Ok(Login::Anonymous),
        ("", Some(_)) => Err("a password without a user".to_owned()),
        (_, None) => Err("a user without a password".to_owned()),
        (user, Some(password)) => Ok(Login::Password { user: plain(user)?, password: plain(password)? }),
    }
}
