//! The pages, from their configuration: the picture is read here, once.

use std::sync::Arc;

use userd_pages::{Logo, Site, SiteError, SiteOptions, inspection::Inspection};
use userd_services::Services;
use userd_web::{RequestOptions, server::Draining};

use super::{WiringError, part};
use crate::config::Config;

/// The pages' shared state, where there are pages.
///
/// # Errors
/// The picture cannot be read, or is none.
pub(crate) fn site(
    config: &Config,
    services: &Arc<Services>,
    requests: &RequestOptions,
    draining: &Draining,
    inspection: Inspection,
) -> Result<Option<Arc<Site>>, WiringError> {
    let pages = &config.pages;
    if !pages.enabled {
        return Ok(None);
    }
    let options = SiteOptions {
        requests: requests.clone(),
        name: pages.name.clone(),
        colour: pages.colour.as_ref().map(|colour| colour.as_str().to_owned()),
        inspection: Some(inspection),
        logo: pages.logo.as_ref().map(|file| logo(file)).transpose().map_err(part)?,
        draining: draining.clone(),
    };
    let site = Site::new(Arc::clone(services), options).map_err(|error| WiringError::Config(error.to_string()))?;
    Ok(Some(Arc::new(site)))
}

/// What is wrong with the picture.
pub(super) fn check_logo(config: &Config) -> Result<(), String> {
    let Some(file) = config.pages.logo.as_ref() else { return Ok(()) };
    let logo = logo(file).map_err(|error| error.to_string())?;
    logo.check().map_err(|error: SiteError| error.to_string())
}

fn logo(file: &std::path::Path) -> std::io::Result<Logo> {
    let extension = file.extension().and_then(std::ffi::OsStr::to_str).unwrap_or_default().to_owned();
    Ok(Logo { bytes: std::fs::read(file)?, extension })
}
