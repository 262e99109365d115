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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bots_token_has_the_shape_that_botfather_gives_out() {
        let secret = "AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw";
        let of = |id: &str, secret: &str| bot_id(&format!("{id}:{secret}")).map(str::to_owned);
        let long_id = "1".repeat(16);
        for id in ["1", "110201543", &*long_id] {
            assert_eq!(of(id, secret).as_deref(), Some(id));
        }
        for id in ["", "bot", "11020x543", "-110201543", " 110201543", "1/../2", "\u{661}\u{662}", &"1".repeat(17)] {
            assert_eq!(of(id, secret), None, "{id}");
        }
        for secret in ["x".repeat(30), "x".repeat(128), "-_09azAZ".repeat(4)] {
            assert!(of("1", &secret).is_some(), "{secret}");
        }
        let odd = ["/", "?", ":", " ", "\u{e9}", "\n", "%"].map(|odd| format!("{secret}{odd}"));
        for secret in [String::new(), "x".repeat(29), "x".repeat(129)].iter().chain(&odd) {
            assert_eq!(of("1", secret), None, "{secret}");
        }
        assert_eq!((bot_id(secret), bot_id("")), (None, None), "there is no colon");
    }

    #[test]
    fn the_id_of_an_account_has_at_most_52_bits_and_is_not_zero() {
        let most = (1 << 52) - 1;
        assert_eq!((account_id(1), account_id(most)), (Some("1".to_owned()), Some(most.to_string())));
        assert_eq!((account_id(0), account_id(most + 1)), (None, None));
    }
}
