//! A message in the form of RFC 5322: two alternatives of the same words, encoded so that a relay without 8BITMIME and
//! SMTPUTF8 takes it, and marked as written by a machine (RFC 3834).

use std::time::{Duration, SystemTime};

use lettre::{
    Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};

use super::{Email, EmailFault};

/// The longest name, in characters.
const MAX_NAME: usize = 100;
/// The longest subject, in characters.
const MAX_SUBJECT: usize = 250;

/// The message as it is sent from `sender`.
pub(super) fn compose(email: &Email, sender: &Mailbox) -> Result<Message, EmailFault> {
    let wrong = |why: &str| EmailFault::Undeliverable(format!("the message cannot be written: {why}"));
    let address = email.to.as_str().parse().map_err(|_| wrong("no such address"))?;
    let to = Mailbox::new(
        email.to_name.as_deref().map(|name| one_line(name, MAX_NAME)).filter(|name| !name.is_empty()),
        address,
    );
    let micros = u64::try_from(email.at.micros()).map_err(|_| wrong("a time before 1970"))?;
    let mut builder = Message::builder()
        .from(sender.clone())
        .to(to)
        .subject(one_line(&email.subject, MAX_SUBJECT))
        .date(SystemTime::UNIX_EPOCH + Duration::from_micros(micros))
        .message_id(Some(format!("<{}@{}>", email.id, sender.email.domain())))
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("Content-Language", &one_line(&email.language, MAX_NAME)));
    if let Some(url) = &email.unsubscribe {
        builder = builder
            .raw_header(header("List-Unsubscribe", &format!("<{url}>")))
            .raw_header(header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"));
    }
    let parts = MultiPart::alternative_plain_html(email.text.clone(), email.html.clone());
    builder.multipart(parts).map_err(|error| wrong(&error.to_string()))
}

/// Headers of our own making: ASCII, and short or free of spaces, so that none is folded.
fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(HeaderName::new_from_ascii_str(name), value.to_owned(), value.to_owned())
}

/// Names and subjects are what people chose. A line break in one would begin a header of theirs, and where there is no
/// space there is no fold: relays refuse lines of more than 998 bytes (RFC 5322 section 2.1.1).
fn one_line(text: &str, most: usize) -> String {
    let visible = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    visible.take(most).collect::<String>().trim().to_owned()
}
