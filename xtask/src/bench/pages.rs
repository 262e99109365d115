//! Pages: how many a second beside `/livez`, and what a server with pages costs beside one without.

use std::{net::SocketAddr, time::Duration};

use super::{
    Fault, Pace,
    client::{Answer, Connection, get, get_with_cookie, post},
    load::{self, Caller, Same},
    median,
    people::{PASSWORD, Person},
    report::Report,
    runtime,
    server::{Server, Setting},
    starting::kib_as_mib,
};

const MANY: usize = 64;
const SESSION: &str = "__Host-userd_session";

/// The sign-in page and the account's against `/livez`, in windows right after each other.
pub(super) fn against_livez(server: &Server, people: &[Person], pace: &Pace, report: &mut Report) -> Result<(), Fault> {
    let cookies = sign_in(server.address, people.iter().take(MANY))?;
    let account = cookies.iter().map(|cookie| get_with_cookie("/account", cookie)).collect();
    for (name, requests) in [("sign-in page", vec![get("/sign-in", None); MANY]), ("account page", account)] {
        super::say(name);
        let callers = |requests: &[Vec<u8>]| {
            requests.iter().map(|request| Box::new(Same(request.clone())) as Box<dyn Caller>).collect()
        };
        let mut ratios = Vec::new();
        for _ in 0..pace.rounds {
            let livez = vec![get("/livez", None); MANY];
            let livez = load::run(server, callers(&livez), Duration::from_millis(200), pace.round)?;
            let page = load::run(server, callers(&requests), Duration::from_millis(200), pace.round)?;
            ratios.push(page.per_second / livez.per_second);
        }
        report.at_least(format!("the {name}'s throughput against `/livez`"), median(ratios), 0.5, "");
    }
    Ok(())
}

/// Starts in turns with and without pages, and what each holds at rest.
pub(super) fn beside_none(setting: &Setting, pace: &Pace, report: &mut Report) -> Result<(), Fault> {
    super::say("starts with and without pages");
    let folder = setting.folder.join("beside");
    std::fs::create_dir_all(&folder)?;
    let setting = &Setting::sqlite(&setting.binary, &folder);
    let without = Setting { pages: false, ..setting.clone() };
    // The first start makes the database and the keys.
    drop(Server::start(setting)?);
    let mut starts = [Vec::new(), Vec::new()];
    for _ in 0..pace.starts {
        for (times, setting) in starts.iter_mut().zip([setting, &without]) {
            times.push(Server::start(setting)?.ready_after.as_secs_f64());
        }
    }
    let [with, none] = starts.map(median);
    let at_rest = |setting: &Setting| {
        let server = Server::start(setting)?;
        std::thread::sleep(pace.idle);
        Ok::<_, Fault>(kib_as_mib(server.memory()?.now))
    };
    // One start holds a little more or less than the next.
    let mut more = Vec::new();
    for _ in 0..5 {
        more.push(at_rest(setting)? - at_rest(&without)?);
    }
    let more = median(more);
    report.at_most("resident memory, idle, more than without pages", more, 1.0, " MiB");
    report.at_most("ready after a start, against one without pages", with / none, 1.1, "");
    Ok(())
}

/// Signs people in as a browser does; the cookies of their sessions.
fn sign_in<'a>(address: SocketAddr, people: impl Iterator<Item = &'a Person>) -> Result<Vec<String>, Fault> {
    runtime()?.block_on(async {
        let mut connection = Connection::open(address).await?;
        let mut cookies = Vec::new();
        for person in people {
            let (form, token) = {
                let page = connection.send(&get("/sign-in", None)).await?;
                (cookie(&page, "__Host-userd_form")?, token(&page)?)
            };
            let body = format!("form_token={token}&login={}&password={PASSWORD}", person.email);
            let more = format!("cookie: {form}\r\nsec-fetch-site: same-origin\r\n");
            let answer = connection.send(&post("/sign-in", "application/x-www-form-urlencoded", &more, &body)).await?;
            cookies.push(cookie(&answer, SESSION)?);
        }
        Ok(cookies)
    })
}

fn cookie(answer: &Answer<'_>, name: &str) -> Result<String, Fault> {
    let head = String::from_utf8_lossy(answer.head);
    let found = head.split_once(&format!("{name}=")).and_then(|(_, rest)| rest.split([';', '\r']).next());
    let value = found.ok_or_else(|| format!("no cookie {name} with {}", answer.status))?;
    Ok(format!("{name}={value}"))
}

fn token(page: &Answer<'_>) -> Result<String, Fault> {
    let html = String::from_utf8_lossy(page.body);
    let found = html.split_once("name=\"form_token\" value=\"").and_then(|(_, rest)| rest.split('"').next());
    Ok(found.ok_or("a page without a form")?.to_owned())
}
