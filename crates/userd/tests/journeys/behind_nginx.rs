//! userd itself behind a real nginx, with the configuration of `deploy/nginx` that `compose.nginx.yaml` mounts.

use std::{collections::BTreeMap, net::IpAddr, time::Duration};

use reqwest::Client;
use serde_json::Value;
use tokio::process::{Child, Command};

use crate::{
    forward_auth::installed,
    support::{Caller, Engine, TestApp, servers::free_port, until},
};

const SITE: &str = include_str!("../../../../deploy/nginx/userd.conf");
const COMPOSE: &str = include_str!("../../../../compose.nginx.yaml");

/// The configuration with the addresses of this test.
fn nginx(
    app: &TestApp,
    userd: &str,
    [plain, tls]: [u16; 2],
    issued: &rcgen::CertifiedKey<rcgen::KeyPair>,
) -> Option<Child> {
    let program = installed(["/usr/sbin/nginx", "/usr/bin/nginx"])?;
    let folder = app.path("nginx");
    std::fs::create_dir_all(folder.join("tls")).unwrap();
    std::fs::write(folder.join("tls/tls.crt"), issued.cert.pem()).unwrap();
    std::fs::write(folder.join("tls/tls.key"), issued.signing_key.serialize_pem()).unwrap();
    let mut site = SITE.to_owned();
    for (there, here) in [
        ("listen 80;", format!("listen 127.0.0.1:{plain};")),
        ("listen 443 ssl http2;", format!("listen 127.0.0.1:{tls} ssl http2;")),
        ("server userd:8080;", format!("server {};", userd.trim_start_matches("http://"))),
        ("/etc/nginx/tls", folder.join("tls").display().to_string()),
    ] {
        assert!(site.contains(there), "{there}");
        site = site.replace(there, &here);
    }
    let kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};\n"));
    let whole = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr warn;\nevents {{}}\nhttp {{\naccess_log off;\n{}{site}\n}}\n",
        kept.concat()
    );
    std::fs::write(folder.join("nginx.conf"), whole).unwrap();
    let mut command = Command::new(program);
    command.arg("-p").arg(&folder).arg("-e").arg("stderr").arg("-c").arg(folder.join("nginx.conf"));
    Some(command.kill_on_drop(true).spawn().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_nginx_userd_knows_who_calls_and_nobody_can_say_to_be_somebody_else() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap().with("http.trusted_proxies.0", "127.0.0.1/32");
    let app = app.with("http.public_url", "https://id.example.org");
    let replica = app.open().await;
    let issued = rcgen::generate_simple_self_signed(vec!["id.example.org".to_owned()]).unwrap();
    let ports = [free_port(), free_port()];
    let Some(_nginx) = nginx(&app, &replica.url, ports, &issued) else { return };
    let [plain, tls] = ports;
    let listens = async || tokio::net::TcpStream::connect(("127.0.0.1", tls)).await.is_ok();
    until("nginx", Duration::from_secs(20), listens).await;

    // Not from nginx' own address, so that the two can be told apart.
    let trusted = reqwest::Certificate::from_pem(issued.cert.pem().as_bytes()).unwrap();
    let client = Client::builder()
        .tls_certs_only([trusted])
        .no_proxy()
        .local_address(IpAddr::from([127, 0, 0, 5]))
        .resolve("id.example.org", ([127, 0, 0, 1], tls).into())
        .redirect(reqwest::redirect::Policy::none());
    let client = client.build().unwrap();
    let site = format!("https://id.example.org:{tls}");
    let visitor = Caller::new(&site).over(client.clone());
    let tokens = visitor.register("behind@example.org", crate::support::PASSWORD).await;
    let forged = visitor.with(&tokens).request(reqwest::Method::GET, "/v1/me");
    let forged = forged.header("x-forwarded-for", "203.0.113.9").header("forwarded", "for=203.0.113.9");
    assert_eq!(forged.header("x-request-id", "forged").send().await.unwrap().status(), 200);
    let told = || replica.log().lines().find(|line| line.contains("\"forged\"")).map(str::to_owned);
    until("the line of the request", Duration::from_secs(10), async || told().is_some()).await;
    let line: Value = serde_json::from_str(&told().unwrap()).unwrap();
    assert_eq!(line["client"], "127.0.0.5", "{line}");

    // What is live comes at once, through the proxy's buffers.
    let mut stream =
        visitor.with(&tokens).request(reqwest::Method::GET, "/v1/me/notifications/stream").send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let first = tokio::time::timeout(Duration::from_secs(20), stream.chunk()).await;
    assert!(first.expect("nothing comes through").unwrap().is_some());

    for hidden in ["/metrics", "/readyz"] {
        assert_eq!(visitor.get(hidden).await.status, 404, "{hidden}");
    }
    assert_eq!(visitor.get("/livez").await.status, 200);
    let elsewhere = client.get(format!("http://127.0.0.1:{plain}/sign-in?a=b")).header("host", "id.example.org");
    let elsewhere = elsewhere.send().await.unwrap();
    assert_eq!(
        (elsewhere.status().as_u16(), &elsewhere.headers()["location"]),
        (308, &"https://id.example.org/sign-in?a=b".parse().unwrap())
    );
}

fn parsed(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap()
}

/// Compose itself is not at hand: that the two files are YAML, fit each other, and say what there is.
#[tokio::test]
async fn the_compose_file_with_nginx_fits_the_one_without_and_what_userd_reads() {
    let (base, more) = (parsed(include_str!("../../../../compose.yaml")), parsed(COMPOSE));
    let (userd, nginx) = (&more["services"]["userd"], &more["services"]["nginx"]);
    let address = nginx["networks"]["front"]["ipv4_address"].as_str().unwrap();
    assert_eq!(userd["environment"]["USERD__HTTP__TRUSTED_PROXIES__0"], format!("{address}/32"));
    let subnet: ipnet::IpNet =
        more["networks"]["front"]["ipam"]["config"][0]["subnet"].as_str().unwrap().parse().unwrap();
    for one in [userd, nginx] {
        let own: IpAddr = one["networks"]["front"]["ipv4_address"].as_str().unwrap().parse().unwrap();
        assert!(subnet.contains(&own));
    }
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mounted: BTreeMap<_, _> = nginx["volumes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|volume| {
            let mut parts = volume.as_str().unwrap().split(':');
            (parts.next().unwrap(), parts.next().unwrap())
        })
        .collect();
    assert!(
        root.join("deploy/nginx/userd.conf").exists() && mounted.contains_key("./deploy/nginx/userd.conf"),
        "{mounted:?}"
    );
    assert!(SITE.contains(mounted["./secrets/tls"]) && SITE.contains("server userd:8080;"));
    assert_eq!(base["services"]["userd"]["ports"][0], "127.0.0.1:8080:8080");

    // The variables of both, as compose would lay them over each other, are keys that userd has.
    let app = TestApp::bare(Engine::Sqlite);
    let mut command = app.command();
    command.args(["config", "check"]);
    for file in [&base, &more] {
        for (name, value) in file["services"]["userd"]["environment"].as_object().unwrap() {
            let value =
                value.as_str().unwrap().replace("${USERD_PUBLIC_URL:-http://127.0.0.1:8080}", "https://id.example.org");
            // Files of a container, a server that is not here.
            if !name.ends_with("_FILE") {
                command.env(name, value);
            }
        }
    }
    let checked = command.output().await.unwrap();
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
}
