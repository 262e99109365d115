//! The picture of an `otpauth` address, for the camera of a phone.

use qrcode::{EcLevel, QrCode, render::svg};
use userd_storage::Failure;

use crate::user_reader::internal;

/// A square picture without a fixed colour scheme's surprises: black on white, with the quiet zone that readers need.
pub(super) fn svg(text: &str) -> Result<String, Failure> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M).map_err(internal)?;
    Ok(code.render::<svg::Color<'_>>().min_dimensions(240, 240).build())
}
