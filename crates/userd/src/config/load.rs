//! From sources to a checked configuration: the order of things, nothing else.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::Deserialize;
use zeroize::Zeroizing;

use super::{
    Config, ConfigErrors, Origin, Origins,
    files::read_at_most,
    overlay,
    report::{self, Findings},
    rules::{self, Rules},
    schema, shape,
    sources::Sources,
    tree::Node,
    twins,
    urls::WebOrigin,
    yaml,
};

/// The largest configuration file.
const LARGEST_FILE: u64 = 1024 * 1024;

/// A configuration that passed every check.
#[derive(Debug)]
pub struct Loaded {
    /// The configuration.
    pub config: Config,
    /// The file it came from; `None`: there is none.
    pub file: Option<PathBuf>,
    /// What is lawful but probably not meant, for the log.
    pub warnings: Vec<String>,
    /// Keys that named a file with a secret, with that file. The master keys are read later.
    pub secret_files: Vec<(String, PathBuf)>,
    /// Where each key was given, for whoever finds out later that it is wrong.
    pub origins: Origins,
}

pub(super) fn load(sources: Sources, further: impl FnOnce(&Config, &mut Rules<'_>)) -> Result<Loaded, ConfigErrors> {
    let mut findings = Findings::default();
    let file = sources.chosen_file();
    let mut root = match &file {
        Some(path) => {
            let place: Arc<Path> = path.as_path().into();
            let text = read_file(path).map_err(|why| report::only(whole_file(&place), why))?;
            let locate = |line, column| Origin::File { path: Arc::clone(&place), line, column };
            match yaml::compose(&text, "", &locate, &mut findings) {
                Some(root) => root,
                None => return Err(findings.into_errors()),
            }
        }
        None => Node::map(Origin::Default),
    };
    let misspelt = overlay::misspelt(&sources.variables);
    overlay::variables(&mut root, sources.variables, &mut findings);
    overlay::flags(&mut root, sources.flags, &mut findings);
    twins::settle(&mut root, schema::schema(), "", &mut findings);
    shape::check(&mut root, schema::schema(), "", &mut findings);
    // What was wrong has been taken out of the tree, so that the rules can be asked about the rest.
    let mut config = read(&mut root, &mut findings);
    if let Some(config) = &mut config {
        follow_listen(config, &root);
    }
    let mut warnings = Vec::new();
    if let Some(config) = &config {
        let mut rules = Rules::new(&root, &mut findings);
        rules::check(config, &mut rules);
        further(config, &mut rules);
        warnings = rules::warnings(config);
        warnings.extend(misspelt);
    }
    match config {
        Some(config) if findings.is_empty() => {
            let secret_files = findings.secret_files;
            Ok(Loaded { config, file, warnings, secret_files, origins: Origins::of(&root) })
        }
        _ => Err(findings.into_errors()),
    }
}

/// A public address that nobody gave follows the port that is listened on: links and the issuer of tokens are made from
/// it. Port 0 stands there too until the system has chosen one: [`HttpConfig::listened_on`].
fn follow_listen(config: &mut Config, root: &Node) {
    let given = root.child("http").is_some_and(|http| http.child("public_url").is_some());
    let listen = config.http.listen.0;
    if !given {
        config.http.public_url = WebOrigin::on_this_machine(listen, config.http.tls.certificate_file.is_some());
    }
}

/// Fills the structs; a value that its own parser refuses is reported and taken out, and the rest tried again.
fn read(root: &mut Node, findings: &mut Findings) -> Option<Config> {
    loop {
        let misfit = match Config::deserialize(&*root) {
            Ok(config) => return Some(config),
            Err(misfit) => misfit,
        };
        let path = misfit.origin.as_ref().and_then(|origin| root.path_of(origin)).filter(|path| !path.is_empty());
        let origin = misfit.origin.clone().unwrap_or_else(|| root.origin.clone());
        findings.add(&origin, path.as_deref().unwrap_or_default(), misfit.message);
        if !path.is_some_and(|path| root.take_out(&path)) {
            return None;
        }
    }
}

fn whole_file(path: &Arc<Path>) -> Origin {
    Origin::File { path: Arc::clone(path), line: 1, column: 1 }
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, String> {
    let bytes = read_at_most(path, LARGEST_FILE)?;
    let Ok(text) = std::str::from_utf8(&bytes) else {
        return Err("not UTF-8".to_owned());
    };
    Ok(Zeroizing::new(text.to_owned()))
}
