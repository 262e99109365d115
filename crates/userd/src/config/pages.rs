//! Keys of the pages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{names::HexColour, text::Optional, values::InputFile};

/// What people see in a browser: signing in, their account, administration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct PagesConfig {
    /// Whether there are pages. Without them an application has pages of its own and calls the API.
    pub enabled: bool,
    /// What the service is called on its pages.
    #[schemars(length(min = 1, max = 60))]
    pub name: String,
    /// A picture before the name: .svg, .png, .jpg or .webp, at most 16 KiB. Empty: none.
    pub logo: Optional<InputFile>,
    /// The colour of buttons and links, such as #2f5da8; made lighter or darker until texts are legible. Empty: blue.
    pub colour: Optional<HexColour>,
}

impl Default for PagesConfig {
    fn default() -> Self {
        Self { enabled: true, name: "userd".to_owned(), logo: Optional::NONE, colour: Optional::NONE }
    }
}
