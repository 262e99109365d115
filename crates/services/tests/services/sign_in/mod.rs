//! Sign-in through providers: attempts, admission, linking, codes, apps, the bot.

mod admission;
mod attempts;
mod bot;
mod codes;
mod elsewhere;
mod linking;

pub(crate) use elsewhere::app_with_acme;
