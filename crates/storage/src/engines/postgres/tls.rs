//! TLS on the way to the server: what the URL and the options say, and what is trusted.

use std::{net::IpAddr, path::PathBuf, sync::Arc};

use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use tokio_postgres::{
    Config,
    config::{Host, SslMode},
};
use tokio_postgres_rustls::MakeRustlsConnect;
use url::form_urlencoded;

use super::PostgresOptions;
use crate::StoreError;

/// What the URL and the options say about TLS.
pub(super) struct Tls {
    /// As the URL says, if it does.
    mode: Option<SslMode>,
    ca_file: Option<PathBuf>,
    cert_file: Option<PathBuf>,
    key_file: Option<PathBuf>,
}

impl Tls {
    /// Takes the `ssl…` parameters out of the URL: the driver knows fewer modes than libpq.
    pub(super) fn split(options: &PostgresOptions) -> Result<(String, Self), StoreError> {
        let mut tls = Self {
            mode: None,
            ca_file: options.ca_file.clone(),
            cert_file: options.client_cert_file.clone(),
            key_file: options.client_key_file.clone(),
        };
        let Some((place, parameters)) = options.url.split_once('?') else { return Ok((options.url.clone(), tls)) };
        // A plus sign is a plus sign here: libpq and the driver decode percent signs only.
        let parameters = parameters.replace('+', "%2B");
        let mut rest = form_urlencoded::Serializer::new(String::new());
        for (name, value) in form_urlencoded::parse(parameters.as_bytes()) {
            match (&*name, &*value) {
                ("sslmode", "disable") => tls.mode = Some(SslMode::Disable),
                ("sslmode", "prefer" | "allow") => tls.mode = Some(SslMode::Prefer),
                ("sslmode", "require" | "verify-full") => tls.mode = Some(SslMode::Require),
                ("sslmode", _) => return Err(refused("sslmode is not one of disable, prefer, require, verify-full")),
                ("sslrootcert", file) => tls.ca_file = Some(file.into()),
                ("sslcert", file) => tls.cert_file = Some(file.into()),
                ("sslkey", file) => tls.key_file = Some(file.into()),
                (name, value) => drop(rest.append_pair(name, value)),
            }
        }
        Ok((format!("{place}?{}", rest.finish().replace('+', "%20")), tls))
    }

    /// As asked for. Without a word: nobody listens between here and a server on this machine; everywhere else TLS,
    /// checked.
    pub(super) fn mode(&self, config: &Config) -> SslMode {
        let is_here = |host: &Host| match host {
            Host::Tcp(name) if name == "localhost" => true,
            Host::Tcp(name) => name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()),
            _ => true,
        };
        let all_here = config.get_hosts().iter().all(is_here) && config.get_hostaddrs().iter().all(IpAddr::is_loopback);
        self.mode.unwrap_or(if all_here { SslMode::Disable } else { SslMode::Require })
    }

    pub(super) fn connector(&self) -> Result<MakeRustlsConnect, StoreError> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|_| refused("no TLS version in common with ourselves"))?
            .with_root_certificates(self.roots()?);
        let config = match (&self.cert_file, &self.key_file) {
            (None, None) => config.with_no_client_auth(),
            (Some(cert), Some(key)) => {
                let chain = certificates(cert)?;
                let key =
                    PrivateKeyDer::from_pem_file(key).map_err(|_| refused("the client key file is not readable"))?;
                config
                    .with_client_auth_cert(chain, key)
                    .map_err(|_| refused("client certificate and key do not fit together"))?
            }
            _ => return Err(refused("a client certificate needs its key, and a key its certificate")),
        };
        Ok(MakeRustlsConnect::new(config))
    }

    fn roots(&self) -> Result<RootCertStore, StoreError> {
        let mut roots = RootCertStore::empty();
        let (certificates, named) = match &self.ca_file {
            Some(file) => (certificates(file)?, true),
            None => (rustls_native_certs::load_native_certs().certs, false),
        };
        let (_, unusable) = roots.add_parsable_certificates(certificates);
        if named && (roots.is_empty() || unusable > 0) {
            return Err(refused("the CA file has certificates that cannot be used"));
        }
        Ok(roots)
    }
}

fn certificates(file: &PathBuf) -> Result<Vec<CertificateDer<'static>>, StoreError> {
    let read = CertificateDer::pem_file_iter(file).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(refused(&format!("no certificate could be read from {}", file.display()))),
    }
}

pub(super) fn refused(why: &str) -> StoreError {
    StoreError::Unavailable(format!("postgres: {why}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use super::{super::connect::Connector, *};

    fn tls_of(url: &str) -> Result<(String, Tls), StoreError> {
        Tls::split(&PostgresOptions::at(url))
    }

    #[test]
    fn require_means_that_the_certificate_is_checked() {
        let (plain, tls) =
            tls_of("postgres://u:p@h/d?sslmode=require&application_name=a+b%20c&sslrootcert=%2Fca.pem").unwrap();
        assert_eq!(tls.mode, Some(SslMode::Require));
        assert_eq!(tls.ca_file, Some(PathBuf::from("/ca.pem")));
        assert_eq!(plain, "postgres://u:p@h/d?application_name=a%2Bb%20c");
        assert_eq!(tls_of("postgres://h/d?sslmode=verify-full").unwrap().1.mode, Some(SslMode::Require));
    }

    #[test]
    fn a_mode_that_checks_half_is_refused() {
        for mode in ["verify-ca", "Require", "", "no"] {
            assert!(tls_of(&format!("postgres://h/d?sslmode={mode}")).is_err(), "{mode}");
        }
    }

    #[test]
    fn the_modes_of_others_are_understood() {
        for (mode, meant) in [("disable", SslMode::Disable), ("prefer", SslMode::Prefer), ("allow", SslMode::Prefer)] {
            assert_eq!(tls_of(&format!("postgres://h/d?sslmode={mode}")).unwrap().1.mode, Some(meant), "{mode}");
        }
        let (_, tls) = tls_of("postgres://h/d?sslcert=/c.pem&sslkey=/k.pem").unwrap();
        assert_eq!((tls.cert_file, tls.key_file), (Some("/c.pem".into()), Some("/k.pem".into())));
    }

    #[test]
    fn a_client_certificate_and_its_key_come_together() {
        for half in ["sslcert=/c.pem", "sslkey=/k.pem"] {
            let refused = tls_of(&format!("postgres://h/d?{half}")).unwrap().1.connector().err();
            assert!(
                matches!(&refused, Some(StoreError::Unavailable(why)) if why.contains("needs its key")),
                "{refused:?}"
            );
        }
        let absent = tls_of("postgres://h/d?sslrootcert=/nowhere/ca.pem").unwrap().1.connector().err();
        assert!(matches!(&absent, Some(StoreError::Unavailable(why)) if why.contains("/nowhere/ca.pem")), "{absent:?}");
    }

    #[test]
    fn without_a_word_only_this_machine_is_spoken_to_in_the_clear() {
        let mode = |url: &str| tls_of(url).unwrap().1.mode(&url.parse::<Config>().unwrap());
        assert_eq!(mode("postgres://u@localhost/d"), SslMode::Disable);
        assert_eq!(mode("postgres://u@127.0.0.1,[::1]/d"), SslMode::Disable);
        assert_eq!(mode("postgres:///d?host=/run/postgresql"), SslMode::Disable);
        assert_eq!(mode("postgres://u@db.example/d"), SslMode::Require);
        assert_eq!(mode("postgres://u@localhost,db.example/d"), SslMode::Require);
        assert_eq!(mode("postgres://u@10.0.0.1/d"), SslMode::Require);
        assert_eq!(mode("postgres://u@localhost/d?hostaddr=10.0.0.1"), SslMode::Require);
    }

    #[test]
    fn the_password_is_in_no_error_and_no_debug_text() {
        let options = PostgresOptions::at("postgres://u:hunter2@h:notaport/d");
        let Err(error) = Connector::new(&options) else { panic!("accepted") };
        assert!(!format!("{error:?} {error} {options:?}").contains("hunter2"));
    }
}
