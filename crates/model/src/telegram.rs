//! How Telegram writes its numbers and tokens. Whether it knows them is not asked here.

/// The bot's id in a bot's token, `<id>:<secret>`; `None` when the text has not the shape that BotFather gives out. An
/// empty token would make everybody a signer, an odd one would change the path that it is put into.
#[must_use]
pub fn bot_id(token: &str) -> Option<&str> {
    let (id, secret) = token.split_once(':')?;
    let id_is_fine = (1..=16).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_digit());
    let secret_is_fine = (30..=128).contains(&secret.len())
        && secret.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_');
    (id_is_fine && secret_is_fine).then_some(id)
}

/// A person's or a bot's id as decimal text: at most 52 bits, not zero.
#[must_use]
pub fn account_id(number: u64) -> Option<String> {
    (1..1 << 52).contains(&number).then(|| number.to_string())
}

/// What is wrong with a token that has no [`bot_id`].
pub const BOT_TOKEN_SHAPE: &str = "must look like 110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
