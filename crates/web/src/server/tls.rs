//! TLS from two PEM files. Deliberately absent: anything older than TLS 1.2, and client certificates.

use std::{path::Path, sync::Arc};

use arc_swap::ArcSwap;
use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// Why TLS cannot be served. Paths are named; contents never are.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, unreadable or not PEM.
    #[error("{path}: {why}")]
    File {
        /// Which file.
        path: String,
        /// What is wrong with it.
        why: String,
    },
    /// Certificate and key do not fit together, or are of an unsupported kind.
    #[error("certificate and key cannot be used: {0}")]
    Pair(#[from] rustls::Error),
}

/// What is served; it can be replaced while connections go on with the one that they began with.
#[derive(Clone)]
pub struct ServerTls(Arc<ArcSwap<ServerConfig>>);

impl ServerTls {
    /// For the next handshake.
    pub(super) fn current(&self) -> Arc<ServerConfig> {
        self.0.load_full()
    }

    /// From the next handshake on.
    pub fn replace(&self, new: Self) {
        self.0.store(new.current());
    }
}

/// Holds a private key.
impl std::fmt::Debug for ServerTls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

/// A server configuration for TLS 1.2 and 1.3 with HTTP/2 and HTTP/1.1.
///
/// # Errors
/// See [`TlsError`].
pub fn from_files(certificates: &Path, key: &Path) -> Result<ServerTls, TlsError> {
    let chain = CertificateDer::pem_file_iter(certificates)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|why| file(certificates, &why))?;
    if chain.is_empty() {
        return Err(file(certificates, &"no certificate in it"));
    }
    let key = PrivateKeyDer::from_pem_file(key).map_err(|why| file(key, &why))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(ServerTls(Arc::new(ArcSwap::from_pointee(config))))
}

fn file(path: &Path, why: &dyn std::fmt::Display) -> TlsError {
    TlsError::File { path: path.display().to_string(), why: why.to_string() }
}
