//! What the documentation names is in the code: keys of the configuration, environment variables, routes, flags of
//! commands, slugs and other words in code style. Deliberately absent: files and commands (`documentation.rs`).

use std::collections::BTreeSet;

use serde_json::Value;
use xtask::tree::Source;

use crate::source::{CRATES, all_rust, none, production, tree};

/// What a page names that is not ours: the page, the word, and why. One that covers nothing fails.
const EXCEPTIONS: &[(&str, &str, &str)] = &[
    ("compose.yaml", "USERD_ISSUER", "a variable of the service beside userd"),
    ("compose.yaml", "USERD_JWKS_URL", "a variable of the service beside userd"),
    ("compose.yaml", "USERD_PUBLIC_URL", "a variable of the file itself"),
    ("compose.yaml", "iss: http://127.0.0.1:8080", "a claim with its value"),
    ("config.example.yaml", "/v1/traces", "a route of a collector of traces (OTLP)"),
    ("docs/security/properties.md", "/v1/traces", "the same"),
    ("docs/integrate/gateways.md", "/.well-known/openid-configuration", "a page that userd has not, said so"),
    ("docs/integrate/django.md", "USERD_CLIENT_ID", "a variable of the reader's own settings"),
    ("docs/integrate/django.md", "USERD_CLIENT_SECRET", "a variable of the reader's own settings"),
    ("docs/operations.md", "default_transaction_isolation", "a setting of PostgreSQL"),
    ("docs/security/cryptography.md", "_command", "the end of a key"),
];

/// Every page for people. The pages made from tables have tests of their own; a decision tells of its day.
fn pages() -> Vec<Source> {
    let tree = tree();
    let mut pages = tree.sources(&["docs"], "md").unwrap();
    let tables = ["docs/security/asvs.md", "docs/security/abuse-cases.md", "docs/vocabulary.md"];
    pages.retain(|page| !page.path.starts_with("docs/decisions/") && !tables.contains(&page.path.as_str()));
    let further = ["README.md", "CONTRIBUTING.md", "config.example.yaml", "compose.yaml", "Dockerfile"];
    pages.extend(further.map(|path| Source { path: path.to_owned(), text: tree.read(path).unwrap() }));
    for extension in ["yaml", "service", "md"] {
        pages.extend(tree.sources(&["deploy"], extension).unwrap());
    }
    pages
}

/// Every key with a dot between its parts; lists have none: `providers.id`.
fn keys(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    keys_of_items(schema, path, found);
    for (key, schema) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        found.insert(path.clone());
        keys(schema, &path, found);
    }
}

fn keys_of_items(schema: &Value, path: &str, found: &mut BTreeSet<String>) {
    if let Some(items) = schema.get("items") {
        keys(items, path, found);
    }
}

fn all_keys() -> BTreeSet<String> {
    let schema = tree().read("docs/config.schema.json").unwrap();
    let mut found = BTreeSet::new();
    keys(&serde_json::from_str(&schema).unwrap(), "", &mut found);
    assert!(found.contains("providers.require_nonce"), "the keys are no longer found: {found:?}");
    found
}

/// Method and path of every route.
fn routes() -> Vec<(String, String)> {
    let table = tree().read("crates/http/src/policy.rs").unwrap();
    let table = table.split("pub const ROUTES").nth(1).unwrap().split("\n];").next().unwrap();
    let texts = |line: &str| Some((line.split('"').nth(1)?.to_owned(), line.split('"').nth(3)?.to_owned()));
    let routes: Vec<_> = table.lines().filter_map(texts).collect();
    assert!(routes.len() > 40, "the routes are no longer found: {routes:?}");
    routes
}

/// Every word of the sources, texts and names of tests included, and every crate that is used. This file names what is
/// wrong, so it does not count.
fn words_of_code() -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    let further = ["Cargo.lock", "docs/config.schema.json"];
    let further = further.map(|path| Source { path: path.to_owned(), text: tree().read(path).unwrap() });
    let sources = all_rust().into_iter().filter(|source| !source.path.ends_with("house/named.rs"));
    for source in sources.chain(further) {
        words.extend(source.text.split(|c: char| !is_word(c)).map(str::to_owned));
    }
    words
}

const fn is_word(c: char) -> bool {
    c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'
}

/// What stands in back-quotes, outside of fenced blocks.
fn quoted(text: &str) -> Vec<&str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2)).collect()
}

/// What of a page is not in the code.
fn unknown(page: &Source, find: impl Fn(&str) -> Vec<String>) -> Vec<(String, String)> {
    find(&page.text).into_iter().map(|word| (page.path.clone(), word)).collect()
}

/// What is wrong by this rule and covered by no exception.
fn offences(rule: &str, find: impl Fn(&str) -> Vec<String>) -> Vec<String> {
    let found = pages().iter().flat_map(|page| unknown(page, &find)).collect::<BTreeSet<_>>();
    let excused = |(page, word): &&(String, String)| !EXCEPTIONS.iter().any(|(at, what, _)| at == page && what == word);
    found.iter().filter(excused).map(|(page, word)| format!("{page}: no such {rule}: {word}")).collect()
}

/// `tokens.access_ttl`, and `require_nonce: false`, where the section goes without saying.
fn unknown_keys(text: &str, keys: &BTreeSet<String>, words: &BTreeSet<String>, code: &str) -> Vec<String> {
    let sections: BTreeSet<_> = keys.iter().filter_map(|key| key.split('.').next()).collect();
    let last: BTreeSet<_> = keys.iter().filter_map(|key| key.rsplit('.').next()).collect();
    let mut wrong = Vec::new();
    for quote in quoted(text) {
        let name = quote.split([':', ' ', '=']).next().unwrap_or_default();
        let plain = !name.is_empty() && name.chars().all(|c| is_word(c) || c == '.');
        if !plain || name.ends_with(".rs") || name.ends_with(".db") {
            continue;
        }
        let section = name.split('.').next().unwrap_or_default();
        let dotted = name.contains('.') && sections.contains(section);
        let valued = !name.contains('.') && quote.strip_prefix(name).is_some_and(|rest| rest.starts_with(": "));
        // Permissions and names of statements have dots too; they are texts in the code.
        let known = keys.contains(name) || keys.contains(format!("providers.{name}").as_str());
        if dotted && !known && !code.contains(&format!("\"{name}\"")) {
            wrong.push(name.to_owned());
        }
        if valued && !last.contains(name) {
            wrong.push(quote.to_owned());
        }
        if name.contains('_') && !name.contains('.') && !words.contains(name) && !last.contains(name) {
            wrong.push(name.to_owned());
        }
    }
    wrong
}

/// `USERD__HTTP__LISTEN`, and with one underscore what only looks like it.
fn unknown_variables(text: &str, keys: &BTreeSet<String>) -> Vec<String> {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let variables = text.split(|c: char| !is_part(c)).filter(|word| word.starts_with("USERD_"));
    let known = |name: &str| match name.strip_prefix("USERD__") {
        Some(path) => {
            let parts = path.split("__").filter(|part| part.parse::<usize>().is_err());
            keys.contains(&parts.map(str::to_lowercase).collect::<Vec<_>>().join("."))
        }
        None => ["USERD_CONFIG", "USERD_COMMIT"].contains(&name) || name.starts_with("USERD_TEST_"),
    };
    variables.filter(|name| !known(name)).map(str::to_owned).collect()
}

/// Paths under our prefixes anywhere, and `GET /…` in code style.
fn unknown_routes(text: &str, routes: &[(String, String)]) -> Vec<String> {
    const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];
    let mut wrong = Vec::new();
    for quote in quoted(text) {
        let Some((method, path)) = quote.split_once(' ').filter(|(method, _)| METHODS.contains(method)) else {
            continue;
        };
        let path = path.split(['?', ' ', '#']).next().unwrap_or_default();
        let same = |(of, template): &(String, String)| (of == method || method == "HEAD") && fits(path, template);
        if path.starts_with('/') && !routes.iter().any(same) {
            wrong.push(quote.to_owned());
        }
    }
    for prefix in ["/v1/", "/oauth2/", "/.well-known/"] {
        for (at, _) in text.match_indices(prefix) {
            let ends = |c: char| c.is_whitespace() || "`?#'\",)<>|\\;".contains(c);
            let path = text[at..].split(ends).next().unwrap_or_default().trim_end_matches(['.', ':', '*']);
            // An address of somebody else has another host before it.
            let begins = text[..at].ends_with(|c: char| c.is_whitespace() || "`(\"'}B".contains(c))
                || text[..at].ends_with("127.0.0.1:8080");
            let whole = |(_, template): &(String, String)| fits(path, template) || template.starts_with(path);
            if begins && !routes.iter().any(whole) {
                wrong.push(path.to_owned());
            }
        }
    }
    wrong
}

/// Whether a path, with `{…}`, `$NAME` or an example in the places of parameters, is of this template.
fn fits(path: &str, template: &str) -> bool {
    let (path, template): (Vec<_>, Vec<_>) = (path.split('/').collect(), template.split('/').collect());
    path.len() == template.len()
        && path
            .iter()
            .zip(&template)
            .all(|(part, wanted)| part == wanted || wanted.starts_with('{') && !part.is_empty())
}

/// `--to-file` in a call of the program.
fn unknown_flags(text: &str, arguments: &BTreeSet<String>) -> Vec<String> {
    let calls = quoted(text).into_iter().chain(text.split("```").skip(1).step_by(2).flat_map(str::lines));
    let flags = calls.filter(|call| call.trim_start().starts_with("userd ")).flat_map(str::split_whitespace);
    let flags = flags.filter_map(|word| word.strip_prefix("--")).map(|flag| flag.split('=').next().unwrap_or(flag));
    let known = |flag: &str| flag.is_empty() || arguments.contains(&flag.replace('-', "_"));
    flags.filter(|flag| !known(flag)).map(|flag| format!("--{flag}")).collect()
}

/// A key, slug, route, variable or flag that a page names is in the code (fault 30).
#[test]
fn every_key_slug_route_and_flag_that_a_page_names_exists() {
    let (keys, words, routes) = (all_keys(), words_of_code(), routes());
    let code: String = CRATES.iter().flat_map(|name| production(name)).map(|source| source.text).collect();
    let cli = tree().sources(&["crates/userd/src/cli"], "rs").unwrap();
    let arguments: String = cli.into_iter().map(|source| source.text).collect();
    let arguments = arguments.split(|c: char| !is_word(c)).map(str::to_owned).collect();
    let mut wrong = offences("key or word", |text| unknown_keys(text, &keys, &words, &code));
    wrong.extend(offences("environment variable", |text| unknown_variables(text, &keys)));
    wrong.extend(offences("route", |text| unknown_routes(text, &routes)));
    wrong.extend(offences("flag", |text| unknown_flags(text, &arguments)));
    none("named in the documentation, but not in the code", wrong);
}

/// The exceptions are still needed (fault 30).
#[test]
fn every_exception_is_a_word_of_its_page() {
    let pages = pages();
    let idle = EXCEPTIONS
        .iter()
        .filter(|(at, word, _)| !pages.iter().any(|page| page.path == *at && page.text.contains(word)));
    none("not in the page: take it out of EXCEPTIONS", idle.map(|(at, word, _)| format!("{at}: {word}")).collect());
}

#[test]
fn a_wrong_name_is_seen() {
    let (keys, words, routes) = (all_keys(), BTreeSet::from(["not_found".to_owned()]), routes());
    let wrong = |text: &str| unknown_keys(text, &keys, &words, "\"tokens.introspect\"");
    for good in
        ["`require_nonce: false`", "`tokens.access_ttl`", "`tokens.introspect`", "`not_found`", "nonce_required"]
    {
        assert!(wrong(good).is_empty(), "{good}");
    }
    for bad in ["`nonce_required: false`", "`tokens.acess_ttl`", "`not_fond`", "`tokens.access_ttl.x`"] {
        assert_eq!(wrong(bad).len().min(1), 1, "{bad}");
    }
    for good in ["`GET /v1/users/{id}`", "`HEAD /livez`", "$B/v1/me/sessions/$LAPTOP", "https://x.example/v1/nothing"] {
        assert!(unknown_routes(good, &routes).is_empty(), "{good}");
    }
    for bad in ["`GET /v1/user/{id}`", "`PUT /v1/me`", "curl $B/v1/auth/signin", "`GET /healthz`"] {
        assert!(!unknown_routes(bad, &routes).is_empty(), "{bad}");
    }
    assert!(unknown_variables("USERD__HTTP__LISTEN=1 USERD_CONFIG USERD__PROVIDERS__0__ID", &keys).is_empty());
    assert_eq!(unknown_variables("USERD_HTTP_LISTEN USERD__HTTP__LISTN", &keys).len(), 2);
    let arguments = BTreeSet::from(["to_file".to_owned()]);
    assert_eq!(unknown_flags("`userd storage copy --to-file x --to_fil y`", &arguments), ["--to_fil"]);
}
