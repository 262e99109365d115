//! The files that pages load: in the program itself, with a hash of their content in the name, so that a browser keeps
//! them for ever and never has an old one. Deliberately absent: files of others, and a build step.

use std::sync::Arc;

use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, header};

use crate::colour::Colour;

/// A picture, read at the start.
#[derive(Clone, Debug)]
pub struct Logo {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// How its name ends: `svg`, `png`, `jpg` or `webp`.
    pub extension: String,
}

/// What cannot be shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SiteError {
    /// No colour.
    #[error("a colour is written as #rrggbb")]
    Colour,
    /// No picture that browsers show.
    #[error("a file whose name ends in .svg, .png, .jpg or .webp")]
    Logo,
    /// It would be most of the page.
    #[error("at most 16 KiB")]
    LogoTooLarge,
}

/// The largest logo: every page has it, and the first view of each is 60 KiB at most.
const LARGEST_LOGO: usize = 16 * 1024;

impl Logo {
    /// Whether it can be shown.
    ///
    /// # Errors
    /// [`SiteError`].
    pub fn check(&self) -> Result<(), SiteError> {
        let known = ["svg", "png", "jpg", "jpeg", "webp"];
        let is_picture = known.iter().any(|known| self.extension.eq_ignore_ascii_case(known));
        match (is_picture, self.bytes.len() <= LARGEST_LOGO) {
            (true, true) => Ok(()),
            (false, _) => Err(SiteError::Logo),
            (true, false) => Err(SiteError::LogoTooLarge),
        }
    }
}

/// One file.
#[derive(Debug)]
struct Asset {
    name: String,
    media_type: &'static str,
    bytes: Bytes,
}

/// Every file, by name. Cloning is cheap.
#[derive(Clone, Debug)]
pub(crate) struct Assets {
    files: Arc<[Asset]>,
    /// Where the style sheet is.
    pub(crate) style: Arc<str>,
    /// Where the script is.
    pub(crate) script: Arc<str>,
    /// Where the script of passkeys is.
    pub(crate) passkeys: Arc<str>,
    /// Where the script of the inbox is.
    pub(crate) inbox: Arc<str>,
    /// Where the icon is.
    pub(crate) icon: Arc<str>,
    /// Where the operator's logo is.
    pub(crate) logo: Option<Arc<str>>,
}

const SCRIPT: &str = include_str!("../assets/page.js");
const PASSKEYS: &str = include_str!("../assets/passkeys.js");
const INBOX: &str = include_str!("../assets/inbox.js");
const STYLE: &str = include_str!("../assets/page.css");
const ICON: &str = include_str!("../assets/icon.svg");

impl Assets {
    /// Nothing where the logo is no picture that browsers show.
    pub(crate) fn new(colour: Colour, logo: Option<&Logo>) -> Option<Self> {
        let style = format!("{}\n{STYLE}", colour.variables());
        let script = asset("page", "js", SCRIPT.as_bytes().to_vec())?;
        let passkeys = asset("passkeys", "js", PASSKEYS.as_bytes().to_vec())?;
        let inbox = asset("inbox", "js", INBOX.as_bytes().to_vec())?;
        let style = asset("page", "css", style.into_bytes())?;
        let icon = asset("icon", "svg", ICON.as_bytes().to_vec())?;
        let logo = match logo {
            Some(logo) => Some(asset("logo", &logo.extension.to_ascii_lowercase(), logo.bytes.clone())?),
            None => None,
        };
        let place = |asset: &Asset| Arc::from(format!("/assets/{}", asset.name));
        let (style_at, script_at, icon_at) = (place(&style), place(&script), place(&icon));
        let (passkeys_at, inbox_at) = (place(&passkeys), place(&inbox));
        let logo_at = logo.as_ref().map(place);
        let files = [style, script, passkeys, inbox, icon].into_iter().chain(logo).collect();
        Some(Self {
            files,
            style: style_at,
            script: script_at,
            passkeys: passkeys_at,
            inbox: inbox_at,
            icon: icon_at,
            logo: logo_at,
        })
    }

    /// The file with this name.
    pub(crate) fn answer(&self, name: &str) -> Option<Response> {
        /// A picture of the operator's may hold scripts; opened by itself it runs none.
        const POLICY: HeaderValue = HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; sandbox");
        let found = self.files.iter().find(|file| file.name == name)?;
        let headers = [
            (header::CONTENT_TYPE, HeaderValue::from_static(found.media_type)),
            (header::CACHE_CONTROL, HeaderValue::from_static("public, max-age=31536000, immutable")),
            (header::CONTENT_SECURITY_POLICY, POLICY),
        ];
        Some((headers, found.bytes.clone()).into_response())
    }
}

fn asset(stem: &str, extension: &str, bytes: Vec<u8>) -> Option<Asset> {
    let media_type = match extension {
        "js" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        _ => return None,
    };
    let name = format!("{stem}.{:016x}.{extension}", fingerprint(&bytes));
    Some(Asset { name, media_type, bytes: bytes.into() })
}

/// FNV-1a: tells one version of a file from another, and protects nothing.
fn fingerprint(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, mix)
}
