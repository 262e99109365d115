//! What all pages share, made once at the start: services, the operator's name, logo and colour, files, headers.

use std::sync::Arc;

use http::HeaderValue;
use userd_services::Services;
use userd_web::{RequestOptions, caller::HasServices, cursor::Cursors, server::Draining};

use crate::{
    assets::{Assets, Logo, SiteError},
    colour::{self, Colour},
    inspection::Inspection,
};

/// What the operator decides about the pages.
#[derive(Clone, Debug)]
pub struct SiteOptions {
    /// The request layer's, as the API has them.
    pub requests: RequestOptions,
    /// What the service is called on its pages.
    pub name: String,
    /// The colour of buttons and links, `#rrggbb`; none: ours.
    pub colour: Option<String>,
    /// A picture before the name.
    pub logo: Option<Logo>,
    /// Ends what is held open, when the process stops.
    pub draining: Draining,
    /// What administrators may see of the process.
    pub inspection: Option<Inspection>,
}

/// The state behind every page.
pub struct Site {
    /// What pages call.
    pub services: Arc<Services>,
    /// What the operator decided.
    pub options: SiteOptions,
    pub(crate) assets: Assets,
    pub(crate) content_policy: HeaderValue,
    /// Seals the positions of lists.
    pub(crate) cursors: Cursors,
}

impl Site {
    /// Puts it together.
    ///
    /// # Errors
    /// [`SiteError`].
    pub fn new(services: Arc<Services>, options: SiteOptions) -> Result<Self, SiteError> {
        options.logo.as_ref().map(Logo::check).transpose()?;
        let colour = options.colour.as_deref().map_or(Some(colour::OURS), Colour::parse).ok_or(SiteError::Colour)?;
        let assets = Assets::new(colour, options.logo.as_ref()).ok_or(SiteError::Logo)?;
        let content_policy = content_policy(services.return_to());
        let cursors = Cursors::new(&services.deps.crypto.index.derive("cursors of pages"));
        Ok(Self { services, options, assets, content_policy, cursors })
    }
}

impl HasServices for Site {
    fn services(&self) -> &Services {
        &self.services
    }
}

/// Only what this host sends, and no inline code. A form may lead where its answer may: browsers hold the policy of the
/// page with the form against redirects that answer it, and a sign-in ends at an application.
fn content_policy(return_to: &[String]) -> HeaderValue {
    const OWN: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
                       frame-ancestors 'none'; base-uri 'none'; form-action 'self'";
    let mut policy = OWN.to_owned();
    for url in return_to.iter().filter_map(|url| url::Url::parse(url).ok()) {
        let origin = url.origin();
        let source = if origin.is_tuple() { origin.ascii_serialization() } else { format!("{}:", url.scheme()) };
        if !policy.split(' ').any(|known| known == source) {
            policy.push(' ');
            policy.push_str(&source);
        }
    }
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(OWN))
}
