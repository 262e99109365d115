//! A message in a chat with the bot. Deliberately absent: what Telegram writes of it (`updates`).

/// One message in a chat.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its id, unique in the chat.
    pub id: i64,
    /// Written by the bot, not by the person.
    pub by_bot: bool,
    /// The text; HTML when the bot wrote it so.
    pub text: String,
    /// Rows of buttons: label and data; of one that opens a Mini App or a page the address.
    pub buttons: Vec<Vec<(String, String)>>,
    /// Forbids forwarding.
    pub protected: bool,
}
