//! A browser as far as sign-in goes: it follows redirects, keeps cookies as RFC 6265bis says, fills in forms, and
//! remembers where it was. Deliberately absent: scripts.

use std::time::Duration;

use reqwest::{Client, Method, header};
use url::Url;

/// A browser with cookies of its own.
pub struct Browser {
    http: Client,
    cookies: Vec<Cookie>,
    /// Every address it was at, in order.
    pub visited: Vec<Url>,
    /// Every `Set-Cookie` line it got.
    pub cookie_lines: Vec<String>,
}

#[derive(Clone)]
struct Cookie {
    origin: String,
    path: String,
    name: String,
    value: String,
    same_site: SameSite,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum SameSite {
    Lax,
    Strict,
    None,
}

/// What a browser shows.
#[derive(Clone, Debug)]
pub struct Page {
    pub url: Url,
    pub status: u16,
    pub headers: header::HeaderMap,
    pub text: String,
}

impl Browser {
    pub fn new() -> Self {
        let http = Client::builder()
            .timeout(Duration::from_secs(30))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        Self { http, cookies: Vec::new(), visited: Vec::new(), cookie_lines: Vec::new() }
    }

    /// A top-level navigation, one step of it.
    pub async fn get(&mut self, url: &str) -> Page {
        self.step(Method::GET, url, None, SameSite::Lax).await
    }

    /// A form that a page of another site sends: only `SameSite=None` cookies go with it.
    pub async fn post_from_elsewhere(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        self.step(Method::POST, url, Some(fields), SameSite::None).await
    }

    /// A form of the same site.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        self.step(Method::POST, url, Some(fields), SameSite::Strict).await
    }

    /// Follows redirects until a page is shown or the next address is not on this machine.
    pub async fn go(&mut self, url: &str) -> Page {
        let page = self.get(url).await;
        self.follow(page).await
    }

    /// Follows a page's redirects.
    pub async fn follow(&mut self, mut page: Page) -> Page {
        for _ in 0..20 {
            let Some(next) = page.location() else { return page };
            if next.host_str() != Some("127.0.0.1") {
                self.visited.push(next.clone());
                return Page { url: next, status: 0, headers: header::HeaderMap::new(), text: String::new() };
            }
            page = self.get(next.as_str()).await;
        }
        panic!("redirects without end: {:?}", self.visited);
    }

    /// Sends the first form of a page, with these fields and its hidden ones, and follows.
    pub async fn fill_in(&mut self, page: &Page, fields: &[(&str, &str)]) -> Page {
        let form = page.text.split("<form").nth(1).unwrap_or_else(|| panic!("no form on {}:\n{}", page.url, page.text));
        let form = form.split("</form").next().unwrap();
        let opening = form.split('>').next().unwrap();
        let target = attribute(opening, "action").map_or_else(|| page.url.clone(), |to| page.url.join(&to).unwrap());
        let hidden = form.split("<input").skip(1).map(|rest| rest.split('>').next().unwrap()).filter_map(|input| {
            let is_hidden = attribute(input, "type").as_deref() == Some("hidden");
            if is_hidden {
                Some((attribute(input, "name")?, attribute(input, "value").unwrap_or_default()))
            } else {
                None
            }
        });
        let hidden: Vec<(String, String)> = hidden.collect();
        let mut all: Vec<(&str, &str)> = hidden.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        all.extend(fields);
        let next = if target.origin() == page.url.origin() {
            self.post(target.as_str(), &all).await
        } else {
            self.post_from_elsewhere(target.as_str(), &all).await
        };
        self.follow(next).await
    }

    /// The same person in another tab: the cookies so far, a history of its own.
    pub fn another_tab(&self) -> Self {
        Self { cookies: self.cookies.clone(), ..Self::new() }
    }

    /// The cookies that go along with a navigation to an address.
    pub fn cookies_for(&self, url: &str) -> String {
        self.cookies_to(&Url::parse(url).unwrap(), SameSite::Lax)
    }

    /// Keeps a cookie that a page's script got from an address.
    pub fn take_cookie(&mut self, base: &str, line: &str) {
        self.keep(&Url::parse(base).unwrap(), line);
    }

    fn cookies_to(&self, url: &Url, navigation: SameSite) -> String {
        let sent = |cookie: &&Cookie| match navigation {
            SameSite::Strict => true,
            SameSite::Lax => cookie.same_site != SameSite::Strict,
            SameSite::None => cookie.same_site == SameSite::None,
        };
        let origin = url.origin().ascii_serialization();
        let here = |cookie: &&Cookie| cookie.origin == origin && url.path().starts_with(&cookie.path);
        let cookies = self.cookies.iter().filter(here).filter(sent);
        cookies.map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect::<Vec<_>>().join("; ")
    }

    async fn step(&mut self, method: Method, url: &str, form: Option<&[(&str, &str)]>, sent: SameSite) -> Page {
        let url = Url::parse(url).unwrap();
        self.visited.push(url.clone());
        let mut request = self.http.request(method, url.clone()).header(header::USER_AGENT, "Browser/1.0");
        let cookies = self.cookies_to(&url, sent);
        if !cookies.is_empty() {
            request = request.header(header::COOKIE, cookies);
        }
        if let Some(fields) = form {
            request = request.form(fields);
        }
        let answer = request.send().await.unwrap();
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        for line in headers.get_all(header::SET_COOKIE) {
            self.keep(&url, line.to_str().unwrap());
        }
        Page { url, status, headers, text: answer.text().await.unwrap() }
    }

    fn keep(&mut self, url: &Url, line: &str) {
        self.cookie_lines.push(line.to_owned());
        let mut parts = line.split(';').map(str::trim);
        let (name, value) = parts.next().unwrap().split_once('=').unwrap();
        let attributes: Vec<(String, &str)> = parts
            .map(|part| part.split_once('=').unwrap_or((part, "")))
            .map(|(n, v)| (n.to_ascii_lowercase(), v))
            .collect();
        let attribute = |name: &str| attributes.iter().find(|(n, _)| n == name).map(|(_, value)| *value);
        let same_site = match attribute("samesite").unwrap_or("Lax").to_ascii_lowercase().as_str() {
            "none" => SameSite::None,
            "strict" => SameSite::Strict,
            _ => SameSite::Lax,
        };
        let secure = attribute("secure").is_some();
        assert!(same_site != SameSite::None || secure, "browsers drop it: {line}");
        if name.starts_with("__Host-") {
            let lawful = secure && attribute("path") == Some("/") && attribute("domain").is_none();
            assert!(lawful, "browsers drop it: {line}");
        }
        let origin = url.origin().ascii_serialization();
        let path = attribute("path").filter(|path| path.starts_with('/')).unwrap_or("/").to_owned();
        let gone = attribute("max-age") == Some("0") || attribute("expires").is_some_and(|at| at.contains("1970"));
        let same = |c: &Cookie| c.origin == origin && c.path == path && c.name == name;
        // An older cookie keeps its place: browsers send the oldest first.
        match self.cookies.iter_mut().find(|cookie| same(cookie)) {
            Some(_) if gone => self.cookies.retain(|cookie| !same(cookie)),
            Some(cookie) => (cookie.value, cookie.same_site) = (value.to_owned(), same_site),
            None if gone => {}
            None => {
                self.cookies.push(Cookie { origin, path, name: name.to_owned(), value: value.to_owned(), same_site })
            }
        }
    }
}

impl Page {
    /// Where a redirect leads.
    pub fn location(&self) -> Option<Url> {
        let location = self.headers.get(header::LOCATION).filter(|_| (300..400).contains(&self.status))?;
        Some(self.url.join(location.to_str().unwrap()).unwrap())
    }

    /// A parameter of the address.
    pub fn param(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned())
    }
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let start = tag.find(&format!("{name}=\""))? + name.len() + 2;
    let value = tag[start..].split('"').next()?;
    Some(value.replace("&amp;", "&").replace("&#x2F;", "/").replace("&quot;", "\""))
}
