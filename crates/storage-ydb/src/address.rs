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
    Metadata(Cloud),
}

/// Whose machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cloud {
    /// Yandex Cloud.
    Yandex,
    /// Google Cloud.
    Google,
}

impl Cloud {
    /// Where such a machine asks for its token.
    #[must_use]
    pub const fn metadata_url(self) -> &'static str {
        match self {
            Self::Yandex => "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/token",
            Self::Google => {
                "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/token"
            }
        }
    }
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
    /// Where tokens are asked for by a service account or a machine, if not at its cloud's usual address.
    pub token_url: Option<String>,
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
            token_url: None,
            discovery: true,
        };
        for (name, value) in url.query_pairs() {
            address.option(&name, &value)?;
        }
        if address.token_url.is_some() && !matches!(address.login, Login::ServiceAccountFile(_) | Login::Metadata(_)) {
            return Err("token_url is for sa_key_file and token_metadata".to_owned());
        }
        Ok(address)
    }

    /// Without port, and without the brackets of an IPv6 address: what stands in a certificate.
    #[must_use]
    pub fn host(&self) -> &str {
        let host = self.authority.rsplit_once(':').map_or(self.authority.as_str(), |(host, _)| host);
        host.trim_start_matches('[').trim_end_matches(']')
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
            "token_url" if value.starts_with("https://") || value.starts_with("http://") => {
                self.token_url = Some(value.to_owned());
                return Ok(());
            }
            "token_url" => return Err("token_url is http:// or https://".to_owned()),
            "token_file" => Login::TokenFile(value.to_owned()),
            "sa_key_file" => Login::ServiceAccountFile(value.to_owned()),
            "token_metadata" if value == "yandex-cloud" => Login::Metadata(Cloud::Yandex),
            "token_metadata" if value == "google" => Login::Metadata(Cloud::Google),
            "token_metadata" => return Err("token_metadata is yandex-cloud or google".to_owned()),
            "token" => return Err("a token stands in a file: token_file=…".to_owned()),
            other => {
                return Err(format!(
                    "`{other}` is not known; use_discovery, token_file, sa_key_file, token_metadata, token_url are"
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
