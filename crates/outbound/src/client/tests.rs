//! The client against resolvers and servers of the tests' own.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Mutex,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Redirect,
    routing::get,
};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::net::TcpListener;

use super::*;

/// Answers one address after the other, whatever the name, and then no more.
struct OneAfterTheOther(Mutex<Vec<IpAddr>>);

impl OneAfterTheOther {
    fn new(addresses: &[&str]) -> Arc<Self> {
        let addresses = addresses.iter().rev().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(addresses)))
    }

    fn left(&self) -> usize {
        self.0.lock().unwrap().len()
    }
}

impl Resolve for OneAfterTheOther {
    fn resolve(&self, _: Name) -> Resolving {
        let next = self.0.lock().unwrap().pop().map(|address| SocketAddr::new(address, 0));
        Box::pin(async move { Ok(Box::new(next.into_iter()) as Addrs) })
    }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn serve(app: Router) -> Url {
    let (listener, port) = listener().await;
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    Url::parse(&format!("http://127.0.0.1:{port}")).unwrap()
}

/// AC-120: a public name whose address is private is refused where the connection is made.
#[tokio::test]
async fn a_discovered_name_that_leads_inside_is_not_connected_to() {
    let mut client = HttpClient::new(HttpOptions::default(), &[]).unwrap();
    client.guard = Arc::new(PublicOnly::over(OneAfterTheOther::new(&["169.254.169.254"])));
    let fault = client.send(Call::get(Url::parse("https://idp.example/x").unwrap())).await.err();
    let Some(Unreachable::Refused(why)) = fault else { panic!("{fault:?}") };
    assert!(why.contains("leads to a private address"), "{why}");
}

/// ASVS V12.2.1, V12.3.3
#[test]
fn plain_http_is_for_the_loopback_only() {
    let fine = |url: &str| HttpClient::new(HttpOptions::default(), &[&Url::parse(url).unwrap()]).is_ok();
    assert!(
        fine("https://idp.example/")
            && fine("http://127.0.0.1:1/")
            && fine("http://[::1]/")
            && fine("http://localhost/")
    );
    assert!(!fine("http://idp.example/") && !fine("http://10.0.0.1/") && !fine("ftp://127.0.0.1/"));
}

/// What fails while a client is made may be over at the next call.
#[tokio::test]
async fn a_client_that_could_not_be_made_is_made_by_a_later_call() {
    let at = serve(Router::new().route("/", get(|| async { "here" }))).await;
    let mut client = HttpClient::new(HttpOptions::default(), &[&at]).unwrap();
    client.options.extra_roots = Some(b"no certificates for now".to_vec());
    assert!(matches!(client.send(Call::get(at.clone())).await, Err(Unreachable::Failed(_))));
    client.options.extra_roots = None;
    assert_eq!(client.send(Call::get(at)).await.unwrap().status, 200);
}

/// A fault's text goes to the log; queries and paths may hold tokens.
#[tokio::test]
async fn a_fault_does_not_tell_the_url() {
    let at = Url::parse("http://127.0.0.1:1/bot123:secret/getMe?access_token=secret").unwrap();
    let client = HttpClient::new(HttpOptions::default(), &[&at]).unwrap();
    let fault = client.send(Call::get(at)).await.err();
    assert!(matches!(&fault, Some(Unreachable::Failed(text)) if !text.contains("secret")), "{fault:?}");
}

/// AC-120: DNS rebinding. A name is looked up once, and what was checked is what is connected to.
#[tokio::test]
async fn the_address_that_was_checked_is_the_one_connected_to() {
    let (listener, port) = listener().await;
    let rebinding = OneAfterTheOther::new(&["127.0.0.1", "169.254.169.254"]);
    let mut client = HttpClient::new(HttpOptions::default(), &[]).unwrap();
    // The loopback passes for public here: a connection to it can be seen.
    let resolver = Arc::clone(&rebinding) as Arc<dyn Resolve>;
    client.guard = Arc::new(PublicOnly::refusing(resolver, |address| !address.is_loopback()));
    let at = Url::parse(&format!("https://rebinding.example:{port}/")).unwrap();
    let (fault, connected) = tokio::join!(client.send(Call::get(at)), async {
        // Hangs up on it: there is no TLS here.
        listener.accept().await.map(drop)
    });
    assert!(connected.is_ok() && fault.is_err());
    assert_eq!(rebinding.left(), 1, "one connection, one look-up");
}

fn redirecting(elsewhere: &Url) -> Router {
    let told = |headers: HeaderMap| async move {
        headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or("nobody").to_owned()
    };
    let away = format!("{elsewhere}who");
    Router::new()
        .route("/who", get(told).post(told))
        .route("/here", get(|| async { Redirect::temporary("/who") }).post(|| async { Redirect::temporary("/who") }))
        .route("/away", get(|| async move { Redirect::temporary(&away) }))
        .route("/round", get(|| async { Redirect::temporary("/round") }))
        .route("/unnamed", get(|| async { StatusCode::FOUND }))
        .route("/inside", get(|| async { Redirect::temporary("https://169.254.169.254/latest") }))
}

/// AC-120: a redirect is followed only when that was asked for, under the rules of the first call.
/// ASVS V15.3.2
#[tokio::test]
async fn redirects_are_bounded_and_guarded() {
    let elsewhere = serve(redirecting(&Url::parse("http://127.0.0.1:1").unwrap())).await;
    let at = serve(redirecting(&elsewhere)).await;
    let stranger = serve(redirecting(&elsewhere)).await;
    let told = async |call: fn(Url) -> Call, at: &Url, path: &str, max_redirects: usize| {
        let options = HttpOptions { max_redirects, ..HttpOptions::default() };
        let client = HttpClient::new(options, &[at, &elsewhere]).unwrap();
        let call = call(at.join(path).unwrap()).header("authorization", "us");
        client.send(call).await.map(|answer| String::from_utf8(answer.body.to_vec()).unwrap())
    };
    assert_eq!(told(Call::get, &at, "/here", 1).await.unwrap(), "us");
    assert_eq!(told(Call::get, &at, "/away", 1).await.unwrap(), "nobody", "credentials stay with their server");
    for (call, path, most) in [
        (Call::get as fn(Url) -> Call, "/here", 0),
        (Call::post, "/here", 5),
        (Call::get, "/round", 5),
        (Call::get, "/unnamed", 5),
        (Call::get, "/inside", 5),
    ] {
        assert!(told(call, &at, path, most).await.is_err(), "{path} {most}");
    }
    // `/away` of an unknown server is plain http on the loopback: discovered, so refused.
    let client = HttpClient::new(HttpOptions { max_redirects: 5, ..HttpOptions::default() }, &[&stranger]).unwrap();
    assert!(client.send(Call::get(stranger.join("/away").unwrap())).await.is_err());
}

#[tokio::test]
async fn time_and_size_are_bounded() {
    let app = Router::new()
        .route("/long", get(|| async { "x".repeat(100) }))
        .route("/never", get(|| async { std::future::pending::<()>().await }));
    let at = serve(app).await;
    let fault = async |path: &str, options: HttpOptions| {
        let client = HttpClient::new(options, &[&at]).unwrap();
        client.send(Call::get(at.join(path).unwrap())).await.err().map(Unreachable::why)
    };
    assert_eq!(fault("/long", HttpOptions { max_body: 100, ..HttpOptions::default() }).await, None);
    let long = fault("/long", HttpOptions { max_body: 99, ..HttpOptions::default() }).await;
    assert!(long.is_some_and(|why| why.contains("more than 99 bytes")));
    let soon = HttpOptions { timeout: Duration::from_millis(50), ..HttpOptions::default() };
    assert!(fault("/never", soon).await.is_some());
}

/// What somebody answers in the head counts, however the rest of it goes on.
#[tokio::test]
async fn a_head_is_an_answer_whatever_follows_it() {
    let endless = || async {
        let drops = futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("x".repeat(4096)));
        ([("retry-after", "7")], axum::body::Body::from_stream(drops))
    };
    let stuck = || async {
        let nothing = futures_util::stream::pending::<Result<String, std::io::Error>>();
        ([("retry-after", "7")], axum::body::Body::from_stream(nothing))
    };
    let at = serve(Router::new().route("/endless", get(endless)).route("/stuck", get(stuck))).await;
    let options = HttpOptions { head_only: true, max_body: 16 * 1024, ..HttpOptions::default() };
    let client = HttpClient::new(options, &[&at]).unwrap();
    for path in ["/endless", "/stuck"] {
        let answer = client.send(Call::get(at.join(path).unwrap())).await.unwrap();
        assert_eq!((answer.status, answer.header("retry-after"), answer.body.len()), (200, Some("7"), 0), "{path}");
    }
}

/// AC-148: a name that led outside when it was checked, and leads inside when it is called, is refused.
#[tokio::test]
async fn a_name_that_turned_inside_is_refused() {
    for inside in ["169.254.169.254", "::1", "::ffff:10.0.0.1", "100.64.0.1", "127.0.0.1"] {
        let (listener, port) = listener().await;
        let turning = OneAfterTheOther::new(&["127.0.0.1", inside]);
        let mut client = HttpClient::new(HttpOptions::default(), &[]).unwrap();
        // The first address passes for public, as far as a connection can be seen; the next is judged as always.
        static LOOKED_UP: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
        LOOKED_UP.store(0, std::sync::atomic::Ordering::SeqCst);
        let judge = |address| {
            let first = LOOKED_UP.fetch_add(1, std::sync::atomic::Ordering::SeqCst) == 0;
            !first && crate::private_address::is_private(address)
        };
        client.guard = Arc::new(PublicOnly::refusing(Arc::clone(&turning) as Arc<dyn Resolve>, judge));
        let at = Url::parse(&format!("https://hooks.example:{port}/")).unwrap();
        let (first, connected) =
            tokio::join!(client.send(Call::post(at.clone())), async { listener.accept().await.map(drop) });
        assert!(matches!(first, Err(Unreachable::Failed(_))) && connected.is_ok(), "{first:?}");
        let second = client.send(Call::post(at)).await;
        assert!(matches!(second, Err(Unreachable::Refused(_))), "{inside}: {second:?}");
    }
}

/// A proxy that is not understood would be gone around: refused when the client is made, without its password.
#[test]
fn a_proxy_that_no_call_would_go_through_is_refused() {
    let made = |proxy: &str| {
        let options = HttpOptions { proxy: Some(Secret::new(proxy)), ..HttpOptions::default() };
        HttpClient::new(options, &[]).err()
    };
    for proxy in [
        "sock5://u:hunter2@proxy.example:1080",
        "socks4://proxy.example:1080",
        "ftp://proxy.example",
        "foo",
        "proxy.example:3128",
        "http://",
        "socks5://",
        "",
    ] {
        let fault = made(proxy).unwrap_or_else(|| panic!("{proxy} is taken"));
        assert_eq!(fault.field, "proxy");
        assert!(fault.detail.contains("socks5://host:port") && !fault.detail.contains("hunter2"), "{fault}");
    }
    for proxy in
        ["http://proxy.example:3128", "https://u:p@proxy.example", "socks5://127.0.0.1:1080", "socks5h://[::1]"]
    {
        assert!(made(proxy).is_none(), "{proxy} is refused");
    }
}
