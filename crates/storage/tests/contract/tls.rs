//! Servers that speak TLS but are not the one asked for. They would be told the password next.

use std::{path::PathBuf, sync::Arc};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, IsCa, KeyPair, date_time_ymd};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    sync::mpsc,
};
use tokio_rustls::{TlsAcceptor, rustls};
use userd_storage::{
    Engine, StoreError,
    engines::{PostgresEngine, PostgresOptions},
    testing::{TestFolder, test_folder},
};

struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
    file: PathBuf,
    _folder: TestFolder,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name = DistinguishedName::new();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = test_folder().unwrap();
        let file = folder.path().join("ca.pem");
        std::fs::write(&file, issuer.pem()).unwrap();
        Self { issuer, file, _folder: folder }
    }

    /// A server for `host`; tells each byte count that it gets after the handshake.
    async fn serve(&self, host: &str, expired: bool) -> (u16, mpsc::UnboundedReceiver<usize>) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
        if expired {
            params.not_before = date_time_ymd(2020, 1, 1);
            params.not_after = date_time_ymd(2021, 1, 1);
        }
        let chain: Vec<CertificateDer<'static>> = vec![params.signed_by(&key, &self.issuer).unwrap().der().clone()];
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(chain, PrivateKeyDer::try_from(key.serialize_der()).unwrap())
            .unwrap();
        listen(TlsAcceptor::from(Arc::new(config))).await
    }
}

async fn listen(acceptor: TlsAcceptor) -> (u16, mpsc::UnboundedReceiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut line, _)) = listener.accept().await {
            // SSLRequest is eight bytes; S says yes (PostgreSQL protocol, "SSL Session Encryption").
            let mut request = [0; 8];
            line.read_exact(&mut request).await.unwrap();
            line.write_all(b"S").await.unwrap();
            if let Ok(mut line) = acceptor.accept(line).await {
                let mut startup = [0; 1024];
                tell.send(line.read(&mut startup).await.unwrap_or(0)).unwrap();
            }
        }
    });
    (port, told)
}

/// What the client says, and whether the server was told anything inside TLS.
async fn meet(
    port: u16,
    ca_file: Option<PathBuf>,
    mode: &str,
    told: &mut mpsc::UnboundedReceiver<usize>,
) -> (String, bool) {
    let mut options = PostgresOptions::at(format!("postgres://user:secret@localhost:{port}/d?sslmode={mode}"));
    options.ca_file = ca_file;
    let Err(StoreError::Unavailable(why)) = PostgresEngine::new(&options).unwrap().health().await else {
        panic!("this server never answers");
    };
    (why, told.try_recv().is_ok_and(|bytes| bytes > 0))
}

/// AC-134: the server has a certificate of a trusted authority, for another host.
///
/// ASVS V12.3.2
#[tokio::test]
async fn a_database_server_with_the_certificate_of_another_host_is_told_nothing() {
    let authority = Authority::new();
    let (port, mut told) = authority.serve("db.other.example", false).await;
    for mode in ["require", "verify-full", "prefer"] {
        let (why, was_told) = meet(port, Some(authority.file.clone()), mode, &mut told).await;
        assert!(!was_told && why.contains("certificate"), "{mode}: {why}");
        assert!(!why.contains("secret"), "{why}");
    }
}

/// ASVS V12.3.2, V12.3.4
#[tokio::test]
async fn a_database_server_of_an_unknown_authority_is_told_nothing() {
    let (authority, other) = (Authority::new(), Authority::new());
    let (port, mut told) = authority.serve("localhost", false).await;
    for trusted in [Some(other.file.clone()), None] {
        let (why, was_told) = meet(port, trusted, "require", &mut told).await;
        assert!(!was_told && why.contains("certificate"), "{why}");
    }
}

/// ASVS V12.3.2
#[tokio::test]
async fn a_database_server_whose_certificate_has_expired_is_told_nothing() {
    let authority = Authority::new();
    let (port, mut told) = authority.serve("localhost", true).await;
    let (why, was_told) = meet(port, Some(authority.file.clone()), "require", &mut told).await;
    assert!(!was_told && why.contains("certificate"), "{why}");
}

/// So that the three above fail for their reason and no other.
#[tokio::test]
async fn the_right_certificate_is_accepted() {
    let authority = Authority::new();
    let (port, mut told) = authority.serve("localhost", false).await;
    let (_, was_told) = meet(port, Some(authority.file.clone()), "require", &mut told).await;
    assert!(was_told, "the handshake was to succeed");
}
