//! The other ways to a Redis: TLS with user and password, a cluster, sentinels. Each against private servers.

use std::{path::Path, sync::Arc, time::Duration};

use crate::support::{
    MINUTE, connected, entry, eventually, key, next, patient, replica,
    server::{Server, free_port, installed},
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use userd_cache::{Cache, CacheHealth, CacheOptions, Limit, Message, Tiered};
use zeroize::Zeroizing;

/// Everything once: values, invalidation, limits, messages between two replicas.
async fn works(a: &Arc<Tiered>, b: &Arc<Tiered>) {
    connected(&**a).await;
    connected(&**b).await;
    let mut at_b = b.subscribe();
    // Many ids, so that in a cluster they lie in many slots.
    for id in 0..50 {
        let key = key(&id.to_string());
        assert!(a.put(&key, entry(1, "one"), MINUTE).await);
        assert_eq!(b.get(&key).await, Some(entry(1, "one")));
        a.invalidate(&key, 2).await;
        eventually("gone at b", async || b.get(&key).await.is_none()).await;
    }
    let limit = Limit { name: "login", burst: 5, period: Duration::from_secs(3600) };
    assert!(a.check(&limit, "ada", 5).await.is_allowed());
    assert!(!b.check(&limit, "ada", 1).await.is_allowed());
    a.publish(b"news"[..].into()).await;
    assert_eq!(next(&mut at_b).await, Message::Payload(b"news"[..].into()));
}

/// Writes a certificate authority and a server certificate for 127.0.0.1 into `directory`.
fn certificates(directory: &Path) {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let server_key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["127.0.0.1".to_owned(), "localhost".to_owned()]).unwrap();
    let server = params.signed_by(&server_key, &authority).unwrap();
    std::fs::write(directory.join("ca.pem"), authority.pem()).unwrap();
    std::fs::write(directory.join("server.pem"), server.pem()).unwrap();
    std::fs::write(directory.join("server.key"), server_key.serialize_pem()).unwrap();
}

const SECURED: [&str; 21] = [
    "--tls-port",
    "PORT",
    "--tls-cert-file",
    "DIR/server.pem",
    "--tls-key-file",
    "DIR/server.key",
    "--tls-ca-cert-file",
    "DIR/ca.pem",
    "--tls-auth-clients",
    "no",
    "--user",
    "default",
    "off",
    "--user",
    "app",
    "on",
    ">s3cret:/@",
    "~userd:*",
    "+@all",
    "--loglevel",
    "warning",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_with_user_and_password() {
    if !installed() {
        return;
    }
    let mut server = Server::prepared(&SECURED);
    certificates(server.directory());
    server.run().await;
    let authority_file = Some(server.directory().join("ca.pem"));
    let trusting = CacheOptions { authority_file, ..patient() };

    let by_url = format!("rediss://app:s3cret%3A%2F%40@127.0.0.1:{}", server.port);
    let by_options = CacheOptions {
        username: Some("app".to_owned()),
        password: Some(Zeroizing::new("s3cret:/@".to_owned())),
        ..trusting.clone()
    };
    let bare = format!("rediss://localhost:{}", server.port);
    works(&replica(&by_url, trusting.clone()).await, &replica(&bare, by_options).await).await;

    let wrong = by_url.replace("s3cret", "guess");
    assert_eq!(replica(&wrong, trusting).await.health().await, CacheHealth::Degraded, "wrong password");
    assert_eq!(replica(&by_url, patient()).await.health().await, CacheHealth::Degraded, "unknown authority");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster() {
    if !installed() {
        return;
    }
    let bus = free_port().to_string();
    let server = Server::start_with(&["--cluster-enabled", "yes", "--cluster-port", &bus]).await;
    let mut raw = server.raw().await;
    redis::cmd("CLUSTER").arg(&["ADDSLOTSRANGE", "0", "16383"]).exec_async(&mut raw).await.unwrap();
    eventually("the cluster is ready", async || {
        let info: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut raw).await.unwrap();
        info.contains("cluster_state:ok")
    })
    .await;
    let by_scheme = format!("redis+cluster://127.0.0.1:{}", server.port);
    let by_option = format!("redis://127.0.0.1:{}?cluster=true", server.port);
    works(&replica(&by_scheme, patient()).await, &replica(&by_option, patient()).await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_a_sentinel_names_and_its_successor() {
    if !installed() {
        return;
    }
    let mut master = Server::start().await;
    let heir = Server::start().await;
    let (_sentinel, port) = sentinel_of(&master);
    let url = format!("redis+sentinel://127.0.0.1:{port}/main");
    let options = CacheOptions { connection_timeout: Duration::from_secs(5), ..patient() };
    eventually("the sentinel answers", async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok())
        .await;
    let (a, b) = (replica(&url, options.clone()).await, replica(&url, options).await);
    works(&a, &b).await;

    // Failed over by hand: the sentinel names another master, the old one dies.
    let mut raw = crate::support::server::raw(&format!("redis://127.0.0.1:{port}")).await;
    redis::cmd("SENTINEL").arg(&["REMOVE", "main"]).exec_async(&mut raw).await.unwrap();
    let successor = heir.port.to_string();
    redis::cmd("SENTINEL").arg(&["MONITOR", "main", "127.0.0.1", &successor, "1"]).exec_async(&mut raw).await.unwrap();
    master.kill();
    eventually("values go to the successor", async || {
        a.put(&key("after"), entry(1, "after"), MINUTE).await;
        let fresh = replica(&heir.url(), patient()).await;
        fresh.get(&key("after")).await.is_some()
    })
    .await;
    eventually("b follows", async || b.get(&key("after")).await == Some(entry(1, "after"))).await;
}

struct Sentinel(std::process::Child, #[expect(dead_code, reason = "held until the process ends")] tempfile::TempDir);

impl Drop for Sentinel {
    fn drop(&mut self) {
        let _already_gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

fn sentinel_of(master: &Server) -> (Sentinel, u16) {
    let directory = tempfile::TempDir::new().unwrap();
    let port = free_port();
    let file = directory.path().join("sentinel.conf");
    let text = format!(
        "port {port}\nbind 127.0.0.1\ndir {}\nsentinel monitor main 127.0.0.1 {} 1\n",
        directory.path().display(),
        master.port
    );
    std::fs::write(&file, text).unwrap();
    let process = std::process::Command::new("redis-server")
        .arg(&file)
        .arg("--sentinel")
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    (Sentinel(process, directory), port)
}
