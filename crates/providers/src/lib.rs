//! The providers room: the protocol side of signing in with an account elsewhere.
//!
//! A provider has two steps, [`Provider::begin`] and [`Provider::finish`], with remembered data between them, which
//! fits code flows as well as signed payloads; [`Provider::native`] takes what an app hands over. The answer is
//! always a [`Profile`]: who the provider says this is, already verified.
//!
//! Deliberately absent: users, sessions, login flows, storage, linking rules. This room does not know whether the
//! person has an account here. A provider is one file, and one line in [`registry`].

mod answer;
mod apple;
mod assertion;
mod builder;
mod client_auth;
mod code_flow;
mod config;
mod digest;
mod discovery;
mod fault;
mod github;
mod google;
mod id_token;
mod jwks;
mod kind;
mod learned;
mod mailru;
mod mapping;
mod oauth2;
mod oidc;
mod ok;
mod openid;
mod profile;
mod provider;
pub mod registry;
mod sber;
mod span;
pub mod telegram;
mod tid;
mod token_answer;
mod vk;
mod yandex;

pub use builder::{ProviderDependencies, blank_profile};
pub use config::{
    AppleOptions, Endpoints, Mapping, MiniAppCheck, ProviderConfig, TelegramOptions, TelegramStart, TokenAuth,
    UserinfoAuth,
};
pub use digest::pkce_challenge;
pub use fault::ProviderFault;
pub use kind::Kind;
pub use profile::{Profile, ProviderTokens, ReplayKey, SubjectKey};
pub use provider::{Begin, Callback, Capabilities, Facts, NativeProof, Policy, Provider, Redirect, callback_params};
pub use registry::{build, build_all};
pub use span::Span;
pub use userd_outbound::{ConfigError, Secret};
