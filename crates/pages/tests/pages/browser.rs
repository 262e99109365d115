//! A browser without JavaScript: it keeps cookies, reads forms as they stand on a page, and posts them.

use std::{collections::BTreeMap, sync::Arc};

use axum::Router;
use userd_pages::{
    Site, SiteOptions,
    inspection::{Finding, Findings, Inspection, State},
};
use userd_services::{
    Services, SignedIn, UserView,
    accounts::Registration,
    passwords::Password,
    testing::{TestApp, TestOptions, test_app},
};
use userd_storage::Store;
use userd_web::{
    RequestOptions,
    server::Draining,
    testing::{Answer, ask, request},
};

pub const PASSWORD: &str = "correct horse battery staple";
pub const ORIGIN: &str = "http://127.0.0.1:8080";

/// What a process says of itself.
fn looked_at() -> Inspection {
    let finding = |part: &str, state, says: &str| Finding { part: part.to_owned(), state, says: says.to_owned() };
    let found = vec![
        finding("clock", State::Well, "says noon"),
        finding("mail", State::Warning, "mail.url is empty"),
        finding("cache", State::Wrong, "<script>alert(1)</script>"),
    ];
    let doctor = move || -> Findings { Box::pin(std::future::ready(found.clone())) };
    Inspection::new(|| "http:\n  public_url: <script>alert(1)</script>\n".to_owned(), doctor)
}

/// Services, and the pages over them.
pub struct Place {
    pub app: TestApp,
    pub router: Router,
    pub draining: Draining,
}

impl Place {
    pub async fn new() -> Self {
        Self::with(TestOptions::default()).await
    }

    pub async fn with(options: TestOptions) -> Self {
        Self::over(Arc::new(userd_storage::testing::memory_store().await.unwrap()), options).await
    }

    pub async fn over(store: Arc<Store>, options: TestOptions) -> Self {
        let app = test_app(store, options).await.unwrap();
        let draining = Draining::default();
        let options = SiteOptions {
            requests: RequestOptions::new(ORIGIN.parse().unwrap()),
            name: "Orchard".to_owned(),
            colour: None,
            logo: None,
            draining: draining.clone(),
            inspection: Some(looked_at()),
        };
        let site = Arc::new(Site::new(Arc::clone(&app.services), options).unwrap());
        let api = Router::new().fallback(|| async { "the API" });
        Self { router: userd_pages::router(site, api), app, draining }
    }

    pub fn services(&self) -> &Services {
        &self.app.services
    }

    /// An account that may sign in with [`PASSWORD`].
    pub async fn member(&self, name: &str) -> UserView {
        self.member_called(name, name).await
    }

    pub async fn member_called(&self, name: &str, display_name: &str) -> UserView {
        let registration = Registration {
            email: Some(format!("{name}@example.org")),
            username: Some(name.to_owned()),
            display_name: Some(display_name.to_owned()),
            ..Registration::with(Password::new(PASSWORD.to_owned()))
        };
        let services = self.services();
        let made = services.accounts.register(&services.context(), registration, None).await.unwrap();
        let SignedIn { user, .. } = made.signed_in().unwrap();
        user
    }

    pub fn browser(&self) -> Browser<'_> {
        Browser { place: self, cookies: BTreeMap::new(), headers: vec![("accept", "text/html".to_owned())] }
    }

    /// A browser in which somebody has signed in.
    pub async fn browser_of(&self, name: &str) -> Browser<'_> {
        let mut browser = self.browser();
        let answer = browser.submit("/sign-in", &[("login", name), ("password", PASSWORD)]).await;
        assert_eq!((answer.status, answer.header("location")), (303.into_status(), "/account"), "{}", answer.text());
        browser
    }
}

/// A number as a status.
pub trait IntoStatus {
    fn into_status(self) -> http::StatusCode;
}

impl IntoStatus for u16 {
    fn into_status(self) -> http::StatusCode {
        http::StatusCode::from_u16(self).unwrap()
    }
}

pub struct Browser<'a> {
    place: &'a Place,
    pub cookies: BTreeMap<String, String>,
    pub headers: Vec<(&'static str, String)>,
}

impl Browser<'_> {
    pub async fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, &[], "").await
    }

    /// Opens a page, fills in its form that is posted to the same path, and sends it.
    pub async fn submit(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.submit_from(path, path, fields).await
    }

    /// Opens the page at `from`, fills in its form that is posted to `to`, and sends it.
    pub async fn submit_from(&mut self, from: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(from).await;
        assert_eq!(page.status, 200, "{from}: {}", page.text());
        let form = form_of(&page.text(), to);
        let mut body = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in &form {
            if !fields.iter().any(|(known, _)| known == name) {
                body.append_pair(name, value);
            }
        }
        for (name, value) in fields {
            body.append_pair(name, value);
        }
        self.post(to, &body.finish()).await
    }

    /// Sends a form's body as it is.
    pub async fn post(&mut self, path: &str, body: &str) -> Answer {
        let own = [("sec-fetch-site", "same-origin"), ("origin", ORIGIN)];
        self.send("POST", path, &own, body).await
    }

    pub async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let cookies: Vec<String> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let mut all: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        all.extend_from_slice(headers);
        if !cookies.is_empty() {
            all.push(("cookie", &cookies));
        }
        if method == "POST" {
            all.push(("content-type", "application/x-www-form-urlencoded"));
        }
        let answer = ask(&self.place.router, request(method, path, &all, body.to_owned())).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().unwrap();
            for must in ["Path=/", "Secure", "HttpOnly", "SameSite=Lax"] {
                assert!(cookie.split("; ").any(|part| part == must), "{cookie} has no {must}");
            }
            assert!(cookie.starts_with("__Host-") && !cookie.contains("Domain"), "{cookie}");
            let (name, value) = cookie.split(';').next().unwrap().split_once('=').unwrap();
            if cookie.contains("Max-Age=0;") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }
}

/// The hidden fields of the form on a page that is posted to `action`.
pub fn form_of(html: &str, action: &str) -> Vec<(String, String)> {
    let start = html.find(&format!("action=\"{action}\"")).unwrap_or_else(|| panic!("no form for {action} in {html}"));
    let form = html[start..].split("</form>").next().unwrap();
    let hidden = form.split("<input").filter(|input| input.contains("type=\"hidden\""));
    hidden.map(|input| (attribute(input, "name"), attribute(input, "value"))).collect()
}

fn attribute(tag: &str, name: &str) -> String {
    let start = tag.find(&format!("{name}=\"")).unwrap() + name.len() + 2;
    unescaped(tag[start..].split('"').next().unwrap())
}

pub fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
