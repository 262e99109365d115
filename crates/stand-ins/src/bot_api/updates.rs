//! Updates as Telegram writes them. Who gets them is in `chats` and `webhook`.

use serde_json::{Value, json};

use super::{BOT_ID, BOT_USERNAME, message::Message};
use crate::test_users::TestUser;

/// The bot as `getMe` and messages show it.
pub(super) fn bot() -> Value {
    json!({
        "id": BOT_ID.parse::<i64>().unwrap_or_default(), "is_bot": true, "first_name": "userd",
        "username": BOT_USERNAME, "can_join_groups": false, "can_read_all_group_messages": false,
        "supports_inline_queries": false,
    })
}

fn person(who: &TestUser) -> Value {
    let mut user = json!({
        "id": who.number, "is_bot": false, "first_name": who.first_name, "last_name": who.last_name,
        "language_code": who.locale,
    });
    if let Some(username) = &who.username {
        user["username"] = username.as_str().into();
    }
    user
}

fn chat(who: &TestUser) -> Value {
    json!({ "id": who.number, "first_name": who.first_name, "last_name": who.last_name, "type": "private" })
}

/// A message of the bot's, as its methods answer it.
pub(super) fn bot_message(who: &TestUser, message: &Message, date: i64) -> Value {
    let mut value = json!({
        "message_id": message.id, "from": bot(), "chat": chat(who), "date": date, "text": message.text,
    });
    if !message.buttons.is_empty() {
        let button = |(label, data): &(String, String)| json!({ "text": label, "callback_data": data });
        let rows: Vec<Vec<Value>> = message.buttons.iter().map(|row| row.iter().map(button).collect()).collect();
        value["reply_markup"] = json!({ "inline_keyboard": rows });
    }
    value
}

/// The person wrote.
pub(super) fn text(who: &TestUser, message: &Message, date: i64) -> Value {
    let mut update = json!({ "message": {
        "message_id": message.id, "from": person(who), "chat": chat(who), "date": date, "text": message.text,
    }});
    if message.text.starts_with('/') {
        let length = message.text.split(' ').next().unwrap_or_default().encode_utf16().count();
        update["message"]["entities"] = json!([{ "offset": 0, "length": length, "type": "bot_command" }]);
    }
    update
}

/// The person sent a card, with the number in Telegram's habit: no plus.
pub(super) fn contact(who: &TestUser, message: &Message, phone: &str, whose: u64, date: i64) -> Value {
    json!({ "message": {
        "message_id": message.id, "from": person(who), "chat": chat(who), "date": date,
        "contact": { "phone_number": phone.trim_start_matches('+'), "first_name": who.first_name, "user_id": whose },
    }})
}

/// The person pressed a button.
pub(super) fn press(who: &TestUser, message: &Message, query: &str, data: &str, date: i64) -> Value {
    json!({ "callback_query": {
        "id": query, "from": person(who), "message": bot_message(who, message, date),
        "chat_instance": "8134722200314281151", "data": data,
    }})
}

/// The person blocked the bot, or let it write again.
pub(super) fn access(who: &TestUser, blocked: bool, date: i64) -> Value {
    let (old, new) = if blocked { ("member", "kicked") } else { ("kicked", "member") };
    json!({ "my_chat_member": {
        "chat": chat(who), "from": person(who), "date": date,
        "old_chat_member": { "user": bot(), "status": old },
        "new_chat_member": { "user": bot(), "status": new, "until_date": 0 },
    }})
}
