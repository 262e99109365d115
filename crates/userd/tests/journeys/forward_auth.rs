//! A service behind a real nginx and a real Caddy, with the configurations that `docs/integrate` gives: people and
//! machines come in, and nobody can say to be somebody else.

use std::{collections::BTreeMap, path::Path, time::Duration};

use reqwest::{Client, Method, redirect::Policy};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
    process::{Child, Command},
};

use crate::support::{Caller, Engine, PASSWORD, Replica, TestApp, all_required, servers::free_port, until};

const HOST: &str = "app.example.org";
const HTML: &str = "text/html,application/xhtml+xml;q=0.9";

/// The service behind the proxy: it answers with the head that reached it.
async fn mirror() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut head, mut chunk) = (Vec::new(), [0; 4096]);
                while !head.windows(4).any(|end| end == b"\r\n\r\n") {
                    match stream.read(&mut chunk).await {
                        Ok(0) | Err(_) => return,
                        Ok(count) => head.extend_from_slice(&chunk[..count]),
                    }
                }
                let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", head.len());
                let _gone = stream.write_all(&[answer.as_bytes(), &head].concat()).await;
            });
        }
    });
    port
}

/// The code blocks in a page of the documentation that are in this language.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/integrate").join(page);
    let text = std::fs::read_to_string(path).unwrap();
    let begin = format!("```{language}\n");
    text.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap().to_owned()).collect()
}

/// A program as Debian has it; none where it is not at hand and need not be.
pub fn installed(paths: [&str; 2]) -> Option<String> {
    let found = paths.into_iter().find(|path| Path::new(path).exists()).map(str::to_owned);
    assert!(found.is_some() || !all_required(), "{} is not there: ./test installs it", paths[0]);
    found
}

/// The documented configuration with the addresses of this test.
async fn nginx(app: &TestApp, userd: u16, service: u16) -> Option<(Child, u16)> {
    let program = installed(["/usr/sbin/nginx", "/usr/bin/nginx"])?;
    let [server, question, identity] = <[String; 3]>::try_from(blocks("nginx.md", "nginx")).unwrap();
    let (port, folder) = (free_port(), app.path("nginx"));
    std::fs::create_dir_all(&folder).unwrap();
    let server = server
        .replace("listen 443 ssl;", &format!("listen 127.0.0.1:{port};"))
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{userd}"))
        .replace("127.0.0.1:3000", &format!("127.0.0.1:{service}"));
    let server: String = server.lines().filter(|line| !line.contains("ssl_")).collect::<Vec<_>>().join("\n");
    let kept = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map(|name| format!("{name}_temp_path {name};\n"));
    let whole = format!(
        "daemon off;\nmaster_process off;\npid nginx.pid;\nerror_log stderr warn;\nevents {{}}\nhttp {{\naccess_log off;\n{}\
         {server}\n}}\n",
        kept.concat()
    );
    for (name, text) in [("nginx.conf", whole), ("userd_question.conf", question), ("userd_identity.conf", identity)] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let mut command = Command::new(program);
    command.arg("-p").arg(&folder).arg("-e").arg("stderr").arg("-c").arg(folder.join("nginx.conf"));
    Some((command.kill_on_drop(true).spawn().unwrap(), port))
}

async fn caddy(app: &TestApp, userd: u16, service: u16) -> Option<(Child, u16)> {
    let program = installed(["/usr/bin/caddy", "/usr/local/bin/caddy"])?;
    let [site] = <[String; 1]>::try_from(blocks("caddy.md", "caddy")).unwrap();
    let (port, folder) = (free_port(), app.path("caddy"));
    std::fs::create_dir_all(&folder).unwrap();
    let site = site
        .replace("app.example.org {", &format!("http://app.example.org:{port} {{\n\tbind 127.0.0.1"))
        .replace("127.0.0.1:8080", &format!("127.0.0.1:{userd}"))
        .replace("127.0.0.1:3000", &format!("127.0.0.1:{service}"));
    std::fs::write(folder.join("Caddyfile"), format!("{{\n\tadmin off\n\tauto_https off\n}}\n{site}")).unwrap();
    let mut command = Command::new(program);
    command.args(["run", "--adapter", "caddyfile", "--config"]).arg(folder.join("Caddyfile"));
    command.env("HOME", &folder).env("XDG_DATA_HOME", &folder).env("XDG_CONFIG_HOME", &folder);
    command.stderr(std::process::Stdio::null());
    Some((command.kill_on_drop(true).spawn().unwrap(), port))
}

/// A browser that keeps cookies apart by host, and asks one machine for all of them.
struct Browser {
    http: Client,
    /// Where hosts are found: the proxy, and userd itself.
    places: BTreeMap<String, String>,
    cookies: BTreeMap<(String, String), String>,
    /// Sent with each request: what somebody would like to be taken for.
    claims: Vec<(&'static str, &'static str)>,
}

struct Page {
    status: u16,
    location: String,
    text: String,
}

impl Browser {
    fn new(proxy: u16, userd: &str) -> Self {
        let http = Client::builder().redirect(Policy::none()).no_proxy().build().unwrap();
        let at_proxy = (format!("https://{HOST}"), format!("http://127.0.0.1:{proxy}"));
        let places = BTreeMap::from([at_proxy, (userd.to_owned(), userd.to_owned())]);
        let claims = vec![
            ("x-userd-user", "root"),
            ("X-Userd-Client", "root"),
            ("x-userd-roles", "admin,root"),
            ("X-USERD-EMAIL", "root@example.org"),
            ("x-userd-username", "root"),
            ("x-userd-session", "root"),
            ("x-userd-acr", "root"),
            ("x-forwarded-host", "evil.example"),
            ("x-forwarded-uri", "//evil.example/"),
        ];
        Self { http, places, cookies: BTreeMap::new(), claims }
    }

    async fn get(&mut self, url: &str) -> Page {
        self.send(Method::GET, url, &[("accept", HTML)], None).await
    }

    async fn send(&mut self, method: Method, url: &str, headers: &[(&str, &str)], form: Option<String>) -> Page {
        let (origin, place) = self.places.iter().find(|(origin, _)| url.starts_with(origin.as_str())).unwrap();
        let (origin, host) = (origin.clone(), origin.split_once("://").unwrap().1.to_owned());
        let mut request = self.http.request(method, url.replacen(&origin, place, 1)).header("host", &host);
        if host == HOST {
            request = self.claims.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        }
        request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        let kept = self.cookies.iter().filter(|((of, _), _)| *of == host);
        let kept: Vec<_> = kept.map(|((_, name), value)| format!("{name}={value}")).collect();
        if !kept.is_empty() {
            request = request.header("cookie", kept.join("; "));
        }
        if let Some(form) = form {
            request = request.header("content-type", "application/x-www-form-urlencoded").body(form);
            request = request.header("origin", &origin).header("sec-fetch-site", "same-origin");
        }
        let answer = request.send().await.unwrap();
        for line in answer.headers().get_all("set-cookie") {
            let (name, rest) = line.to_str().unwrap().split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.insert((host.clone(), name.to_owned()), value.to_owned());
        }
        let location = answer.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
        Page { status: answer.status().as_u16(), location, text: answer.text().await.unwrap() }
    }

    /// From a page of the host to userd's sign-in page and back.
    async fn sign_in(&mut self, userd: &str, page: &str, login: &str) -> Page {
        let first = self.get(&format!("https://{HOST}{page}")).await;
        let start = format!("https://{HOST}/_userd/start?to=");
        assert!(first.status == 303 && first.location.starts_with(&start), "{} {}", first.status, first.location);
        let start = self.get(&first.location).await;
        assert!(start.location.starts_with(&format!("{userd}/sign-in?")), "{} {}", start.status, start.location);
        let form = self.get(&start.location).await;
        let mut fields = url::form_urlencoded::Serializer::new(String::new());
        for input in form.text.split("<input").filter(|input| input.contains("type=\"hidden\"")) {
            let of =
                |name: &str| input.split(&format!("{name}=\"")).nth(1).unwrap().split('"').next().unwrap().to_owned();
            fields.append_pair(&of("name"), &of("value").replace("&amp;", "&"));
        }
        let form = fields.append_pair("login", login).append_pair("password", PASSWORD).finish();
        let done = self.send(Method::POST, &format!("{userd}/sign-in"), &[("accept", HTML)], Some(form)).await;
        assert!(done.status == 303 && done.location.starts_with("/continue?"), "{} {}", done.status, done.text);
        let back = self.get(&format!("{userd}{}", done.location)).await;
        assert!(back.location.starts_with(&format!("https://{HOST}/_userd/callback?code=")), "{}", back.location);
        let home = self.get(&back.location).await;
        assert_eq!((home.status, home.location.as_str()), (303, format!("https://{HOST}{page}").as_str()));
        self.get(&home.location).await
    }
}

/// The lines of identity that reached the service: what is said, and that nothing of the client's own is left.
fn told(page: &Page) -> BTreeMap<String, String> {
    assert_eq!(page.status, 200, "{}", page.text);
    let mut told = BTreeMap::new();
    for line in page.text.lines().filter(|line| line.to_ascii_lowercase().starts_with("x-userd-")) {
        let (name, value) = line.split_once(':').unwrap();
        let before = told.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        assert!(before.is_none(), "{name} is there twice: {}", page.text);
        assert!(!value.contains("root"), "a claim of the client arrived: {line}");
    }
    told.retain(|_, value| !value.is_empty());
    told
}

async fn a_service_is_protected(replica: &Replica, admin: &Caller, port: u16, name: &str) {
    let listens = async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
    until(name, Duration::from_secs(20), listens).await;
    let email = format!("{name}@example.org");
    let tokens = replica.visitor().register(&email, PASSWORD).await;
    let mut browser = Browser::new(port, &replica.url);
    let page = "/reports?year=2026&month=11";
    let seen = told(&browser.sign_in(&replica.url, page, &email).await);
    assert_eq!(seen["x-userd-user"], tokens.user_id());
    assert_eq!(seen["x-userd-acr"], "aal1", "{name}");
    for nothing in ["x-userd-email", "x-userd-client", "x-userd-roles", "x-userd-username"] {
        assert!(!seen.contains_key(nothing), "{name}: {seen:?}");
    }

    // What is asked with every request is obeyed with every request: a role that comes and goes.
    let staff = format!("https://{HOST}/staff/");
    assert_eq!(browser.get(&staff).await.status, 403, "{name}");
    let role = format!("/v1/users/{}/roles/staff", tokens.user_id());
    admin.put(&role, serde_json::json!({})).await.expect(200);
    assert_eq!(told(&browser.get(&staff).await)["x-userd-roles"], "staff", "{name}");

    // Forms pass with their body; scripts and strangers get a status.
    let home = format!("https://{HOST}/form");
    let posted = browser.send(Method::POST, &home, &[], Some("a=b".to_owned())).await;
    assert!(posted.text.to_ascii_lowercase().contains("content-length: 3"), "{name}: {}", posted.text);
    let mut stranger = Browser::new(port, &replica.url);
    let json = [("accept", "application/json")];
    assert_eq!(stranger.send(Method::GET, &home, &json, None).await.status, 401, "{name}");
    assert_eq!(
        stranger.send(Method::POST, &home, &[("accept", HTML)], Some(String::new())).await.status,
        401,
        "{name}"
    );
    let bearer = format!("Bearer {}", tokens.access);
    let borne = stranger.send(Method::GET, &home, &[("authorization", &bearer)], None).await;
    assert_eq!(told(&borne)["x-userd-user"], tokens.user_id(), "{name}");
    // It opens userd's own API, so it is none of the service's.
    assert!(!borne.text.contains(&tokens.access), "{name}: {}", borne.text);
    // The question itself is not for the public, whatever the proxy is called.
    assert_ne!(stranger.get(&format!("https://{HOST}/_userd/auth")).await.status, 200, "{name}");

    let out = browser.send(Method::POST, &format!("https://{HOST}/_userd/sign-out"), &[], Some(String::new())).await;
    assert_eq!((out.status, out.location.as_str()), (303, replica.url.as_str()), "{name}");
    assert_eq!(browser.get(&home).await.status, 303, "{name}");
    browser.cookies.retain(|(host, _), _| host == HOST);
    assert_eq!(told(&browser.sign_in(&replica.url, "/", &email).await)["x-userd-user"], tokens.user_id());
    admin.poke(&format!("/v1/users/{}/block", tokens.user_id())).await.expect(200);
    assert_eq!(browser.get(&home).await.status, 303, "{name}");
    assert_eq!(stranger.send(Method::GET, &home, &[("authorization", &bearer)], None).await.status, 401, "{name}");
}

/// As `docs/integrate/nginx.md` and `docs/integrate/caddy.md` have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_service_behind_nginx_and_one_behind_caddy_learn_who_it_is_and_nobody_can_pretend() {
    let app = TestApp::build(Engine::Sqlite).await.unwrap().at_its_address();
    let app =
        app.with("http.trusted_proxies.0", "127.0.0.1/32").with("sign_in.forward_auth.0", &format!("https://{HOST}"));
    let replica = app.open().await;
    let userd = replica.url.rsplit_once(':').unwrap().1.parse().unwrap();
    let admin = replica.admin(&app).await;
    admin.post("/v1/roles", serde_json::json!({ "name": "staff", "permissions": [] })).await.expect(201);
    let service = mirror().await;
    if let Some((_nginx, port)) = nginx(&app, userd, service).await {
        a_service_is_protected(&replica, &admin, port, "nginx").await;
    }
    if let Some((_caddy, port)) = caddy(&app, userd, service).await {
        // Caddy knows its host by name and port; nginx is configured by name.
        a_service_is_protected(&replica, &admin, port, "caddy").await;
    }
    assert_eq!(replica.lines_of("ERROR"), Vec::<String>::new());
}
