//! Whether to colour. The environment is passed in.

use std::ffi::OsStr;

/// What the command line says about colour.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColourChoice {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColourChoice {
    /// Decides for one stream. `no_color` and `term` are the variables `NO_COLOR` (<https://no-color.org>) and `TERM`.
    #[must_use]
    pub fn decide(self, is_terminal: bool, no_color: Option<&OsStr>, term: Option<&OsStr>) -> bool {
        match self {
            Self::Always => true,
            Self::Never => false,
            Self::Auto => is_terminal && no_color.is_none_or(OsStr::is_empty) && term != Some(OsStr::new("dumb")),
        }
    }
}
