//! Sign-in through providers: login flows, admission, linking, codes, apps, the bot.

mod admission;
mod bot;
mod codes;
mod dead_ends;
mod decisions;
pub(crate) mod elsewhere;
mod known_devices;
mod linking;
mod login_flows;
pub(crate) mod messenger;
mod shown;
mod withdrawn;

pub(crate) use elsewhere::app_with_acme;
