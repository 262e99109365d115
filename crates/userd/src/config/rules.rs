//! What one key means for another. A rule is not asked about keys that are already known to be wrong. Deliberately absent:
//! whether an engine or a provider can be built from the values; who builds them asks (`crate::wiring::checks`).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use zeroize::Zeroizing;

use super::{Config, ProviderConfig, report::Findings, tree::Node};

/// Reports every rule of ours that is broken.
pub(super) fn check(config: &Config, rules: &mut Rules<'_>) {
    rules.http(config);
    rules.storage(config);
    rules.tokens(config);
    rules.accounts(config);
    rules.forward_auth(config);
    rules.documents(config);
    rules.mail(config);
    rules.audit(config);
    rules.roles(config);
    if !rules.is_wrong("providers") {
        for (at, provider) in config.providers.iter().enumerate() {
            rules.provider(config, at, provider);
        }
    }
}

/// Where rules report: it knows which line said a key, and which keys are already known to be wrong.
pub struct Rules<'a> {
    root: &'a Node,
    findings: &'a mut Findings,
}

impl<'a> Rules<'a> {
    pub(super) fn new(root: &'a Node, findings: &'a mut Findings) -> Self {
        Self { root, findings }
    }
}

impl Rules<'_> {
    /// Whether something in this section or key, or around it, is already known to be wrong.
    #[must_use]
    pub fn is_wrong(&self, key: &str) -> bool {
        self.findings.concern(key)
    }

    /// Reports `message` at the first key, unless one of the keys is already known to be wrong.
    pub fn refuse(&mut self, keys: &[&str], message: &str) {
        self.refuse_if(true, keys, message);
    }

    /// The first key is the one that the message stands at.
    fn refuse_if(&mut self, wrong: bool, keys: &[&str], message: &str) {
        if let Some(first) = keys.first().filter(|_| wrong && !keys.iter().any(|key| self.findings.concern(key))) {
            self.findings.add(&self.root.nearest_origin(first), first, message);
        }
    }

    fn http(&mut self, config: &Config) {
        let tls = &config.http.tls;
        self.pair(
            tls.certificate_file.is_some(),
            "http.tls.certificate_file",
            tls.key_file.is_some(),
            "http.tls.key_file",
        );
        self.refuse_if(
            config.http.listens_twice(),
            &["http.admin_listen", "http.listen"],
            "must be another address or port than http.listen",
        );
        let own_issuer = config.tokens.issuer.is_none();
        self.refuse_if(
            own_issuer && !config.http.public_url.is_secure(),
            &["http.public_url", "tokens.issuer"],
            "it is the issuer of tokens too and must be https:// (http:// only for localhost), or set tokens.issuer",
        );
        let issuer_with_query = config.tokens.issuer.as_ref().is_some_and(|issuer| issuer.url().query().is_some());
        self.refuse_if(issuer_with_query, &["tokens.issuer"], "an issuer has no query (RFC 8414 section 2)");
    }

    fn storage(&mut self, config: &Config) {
        let database = &config.database;
        self.pair(
            database.client_certificate_file.is_some(),
            "database.client_certificate_file",
            database.client_key_file.is_some(),
            "database.client_key_file",
        );
        let key = config.crypto.master_key.as_ref();
        let decoded = key.map(|key| STANDARD.decode(key.expose()).map(Zeroizing::new));
        self.refuse_if(
            decoded.is_some_and(|bytes| !bytes.is_ok_and(|bytes| bytes.len() == 32)),
            &["crypto.master_key"],
            "expected 32 bytes in base64, such as `openssl rand -base64 32` prints",
        );
        let empty_program = config.crypto.master_key_command.first().is_some_and(|program| program.trim().is_empty());
        self.refuse_if(
            empty_program,
            &["crypto.master_key_command"],
            "the first item is the program and must not be empty",
        );
    }

    fn tokens(&mut self, config: &Config) {
        let tokens = &config.tokens;
        self.refuse_if(
            tokens.refresh_ttl <= tokens.access_ttl,
            &["tokens.refresh_ttl", "tokens.access_ttl"],
            "must be longer than tokens.access_ttl",
        );
        self.refuse_if(
            tokens.publish_before >= tokens.rotation_period,
            &["tokens.publish_before", "tokens.rotation_period"],
            "must be shorter than tokens.rotation_period",
        );
        self.refuse_if(
            config.sessions.max_lifetime <= tokens.access_ttl,
            &["sessions.max_lifetime", "tokens.access_ttl"],
            "must be longer than tokens.access_ttl",
        );
    }

    /// What this version does not have yet is refused, rather than taken and not kept.
    fn accounts(&mut self, config: &Config) {
        let registration = &config.registration;
        let is_wrong = registration.approvers.iter().any(|role| !userd_model::Role::is_name(role));
        self.refuse_if(is_wrong, &["registration.approvers"], "expected names of roles");
        for (key, domains) in [
            ("registration.allowed_domains", &registration.allowed_domains),
            ("registration.blocked_domains", &registration.blocked_domains),
        ] {
            let is_wrong = domains.iter().any(|domain| !is_domain(domain));
            self.refuse_if(is_wrong, &[key], "expected domains such as example.org, without * and @");
        }
    }

    fn forward_auth(&mut self, config: &Config) {
        let hosts = &config.sign_in.forward_auth;
        self.refuse_if(
            hosts.iter().any(|origin| !origin.is_secure()),
            &["sign_in.forward_auth"],
            "must be https:// (http:// only for localhost): the cookie of a host travels no other way",
        );
        self.refuse_if(
            !hosts.is_empty() && config.http.trusted_proxies.is_empty(),
            &["http.trusted_proxies", "sign_in.forward_auth"],
            "needed for sign_in.forward_auth: only a trusted proxy may say which host it asks for",
        );
    }

    fn documents(&mut self, config: &Config) {
        let documents = &config.registration.documents;
        for (at, document) in documents.iter().enumerate() {
            let key = |name: &str| format!("registration.documents.{at}.{name}");
            let earlier = documents.iter().take(at).any(|other| other.id == document.id);
            self.refuse_if(earlier, &[&key("id")], "another document has this id");
            let word = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
            let is_word = (1..=32).contains(&document.id.len()) && document.id.chars().all(word);
            self.refuse_if(!is_word, &[&key("id")], "expected 1 to 32 lower-case letters, digits, `-` and `_`");
            let length = document.version.chars().count();
            let is_wrong = !(1..=64).contains(&length) || document.version.chars().any(char::is_control);
            self.refuse_if(is_wrong, &[&key("version")], "expected 1 to 64 characters");
        }
    }

    fn mail(&mut self, config: &Config) {
        let mail = &config.mail;
        self.refuse_if(
            mail.url.is_some() && mail.from.is_none(),
            &["mail.from", "mail.url"],
            "needed when mail.url is given",
        );
    }

    fn provider(&mut self, config: &Config, at: usize, provider: &ProviderConfig) {
        let key = |name: &str| format!("providers.{at}.{name}");
        let earlier = config.providers.iter().take(at).any(|other| other.id == provider.id);
        self.refuse_if(earlier, &[&key("id")], "another provider has this id");
        let reserved = matches!(
            provider.id.as_str(),
            "email"
                | "email-code"
                | "email_code"
                | "password"
                | "providers"
                | "exchange"
                | "passkey"
                | "second_factor"
                | "terms"
                | "approval"
        );
        self.refuse_if(reserved, &[&key("id")], "this word stands in a path of its own; choose another");
        let no_domain = provider.allowed_domains.iter().any(|domain| !is_domain(domain));
        self.refuse_if(no_domain, &[&key("allowed_domains")], "expected domains such as example.org, without * and @");
    }

    /// A certificate without its key, or a key without its certificate.
    fn roles(&mut self, config: &Config) {
        let twice = config.roles.is_inline() && config.roles.file.is_some();
        self.refuse_if(twice, &["roles.file"], "roles are declared here already: in the file or here, not both");
    }

    fn audit(&mut self, config: &Config) {
        let (url, key) = (config.audit.witness_url.is_some(), config.audit.witness_key.is_some());
        let keys = ("audit.witness_url", "audit.witness_key");
        self.refuse_if(url && !key, &[keys.1, keys.0], "needed beside audit.witness_url: what the witness signs with");
        self.refuse_if(key && !url, &[keys.0, keys.1], "needed beside audit.witness_key: where the witness is asked");
    }

    fn pair(&mut self, one: bool, one_key: &str, other: bool, other_key: &str) {
        self.refuse_if(one && !other, &[other_key, one_key], "needed beside the certificate");
        self.refuse_if(other && !one, &[one_key, other_key], "needed beside the private key");
    }
}

fn is_domain(text: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let label = |label: &str| (1..=63).contains(&label.len()) && label.chars().all(inner) && !label.starts_with('-');
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

/// OWASP's least argon2id settings all come to about this many KiB written.
const LEAST_ARGON2_WORK: u64 = 36_864;

/// What is lawful but probably not meant.
pub(super) fn warnings(config: &Config) -> Vec<String> {
    let mut warnings = Vec::new();
    let argon2 = &config.passwords.argon2;
    if u64::from(argon2.memory_kib) * u64::from(argon2.iterations) < LEAST_ARGON2_WORK {
        warnings.push("passwords.argon2 is cheaper than OWASP's least (19456 KiB with 2 iterations)".to_owned());
    }
    if config.mail.url.is_none() && config.mail.from.is_some() {
        warnings
            .push("mail.from has no effect without mail.url: mails are kept, `userd mail list` shows them".to_owned());
    }
    let reuses = |provider: &ProviderConfig| provider.telegram.as_ref().is_some_and(|telegram| telegram.mini_app_reuse);
    if config.providers.iter().any(reuses) {
        warnings
            .push("telegram.mini_app_reuse is true: whoever copies a Mini App's data can sign in with it".to_owned());
    }
    if !config.rate_limits.enabled {
        warnings.push("rate_limits.enabled is false: passwords can be guessed without delay".to_owned());
    }
    if !config.http.listen.ip().is_loopback() && config.http.public_url.url().scheme() == "http" {
        warnings.push("http.public_url is plain http while the service listens beyond this machine".to_owned());
    }
    warnings
}
