//! Messages: what is asked for and refused, where their bounds are, and how copies are counted.

use super::*;

fn now() -> Timestamp {
    Timestamp::from_seconds(1_800_000_000)
}

/// As the contract has them.
#[test]
fn the_bounds_are_two_hundred_users_and_sixteen_kibibytes() {
    assert_eq!((MAX_USERS, MAX_BYTES, FURTHEST.as_secs()), (200, 16_384, 31_536_000));
}

fn input() -> MessageInput {
    MessageInput {
        to: Audience::All,
        category: "orders".to_owned(),
        title: MessageText::One("Your order".to_owned()),
        body: MessageText::One("It is on its way.".to_owned()),
        data: None,
        action_url: None,
        channels: None,
        not_before: None,
        expires_at: None,
    }
}

fn wrong(input: MessageInput) -> Vec<String> {
    match input.check(now(), Vec::new()) {
        Err(Refusal::InvalidInput(fields)) => fields.into_iter().map(|field| field.pointer).collect(),
        Err(other) => panic!("{other:?}"),
        Ok(_) => Vec::new(),
    }
}

#[test]
fn what_is_wrong_with_a_message_is_told_field_by_field() {
    let each = |ru: &str, en: &str| MessageText::Each(EachLanguage { ru: ru.to_owned(), en: en.to_owned() });
    let id = UserId::from_random([1; 16]);
    let later = |seconds| Some(now().plus(Duration::from_secs(seconds)));
    let earlier = Some(now().minus(Duration::from_secs(60)));
    let data = |size| Some(Map::from_iter([("a".to_owned(), Value::String("x".repeat(size)))]));
    let long = |size| MessageText::One("\"".repeat(size));
    let users = |count| Audience::Users((0..count).map(|n| UserId(uuid::Uuid::from_u128(n))).collect());
    let year = FURTHEST.as_secs();
    for (input, pointers) in [
        (input(), vec![]),
        (MessageInput { to: Audience::Users(vec![id, id]), ..input() }, vec![]),
        (MessageInput { to: Audience::Users(Vec::new()), ..input() }, vec!["/to/user_ids"]),
        (MessageInput { to: users(200), ..input() }, vec![]),
        (MessageInput { to: users(201), ..input() }, vec!["/to/user_ids"]),
        (MessageInput { category: "Orders".to_owned(), ..input() }, vec!["/category"]),
        (MessageInput { category: "security".to_owned(), ..input() }, vec!["/category"]),
        (MessageInput { category: "administration".to_owned(), ..input() }, vec!["/category"]),
        (MessageInput { category: "message".to_owned(), ..input() }, vec![]),
        (MessageInput { title: each("", "a\nb"), ..input() }, vec!["/title/ru", "/title/en"]),
        (MessageInput { body: each("Привет\nмир", "Hello\nworld"), ..input() }, vec![]),
        // What the texts have is counted: neither how JSON writes them nor `data`, which has a bound of its own.
        (MessageInput { title: long(4), body: long(16_380), data: data(16_000), ..input() }, vec![]),
        (MessageInput { title: long(5), body: long(16_380), ..input() }, vec!["/body"]),
        (MessageInput { body: each(&"я".repeat(4_096), &"x".repeat(8_192)), ..input() }, vec!["/body"]),
        (MessageInput { data: data(16 * 1024), ..input() }, vec!["/data"]),
        (MessageInput { channels: Some(Vec::new()), ..input() }, vec!["/channels"]),
        (
            MessageInput { channels: Some(vec!["email".to_owned(), "sms".to_owned(), "email".to_owned()]), ..input() },
            vec!["/channels/1", "/channels/2"],
        ),
        (MessageInput { expires_at: Some(now()), ..input() }, vec!["/expires_at"]),
        (MessageInput { not_before: later(60), expires_at: later(60), ..input() }, vec!["/expires_at"]),
        (MessageInput { not_before: later(60), expires_at: later(61), ..input() }, vec![]),
        (MessageInput { not_before: later(year), ..input() }, vec![]),
        (MessageInput { not_before: later(year + 1), ..input() }, vec!["/not_before"]),
        (MessageInput { expires_at: later(year), ..input() }, vec![]),
        (MessageInput { expires_at: later(year + 1), ..input() }, vec!["/expires_at"]),
        // The year after it is sent: that is never in the past.
        (MessageInput { not_before: later(60), expires_at: later(year + 60), ..input() }, vec![]),
        (MessageInput { not_before: later(60), expires_at: later(year + 61), ..input() }, vec!["/expires_at"]),
        (MessageInput { not_before: earlier, expires_at: later(year), ..input() }, vec![]),
        (MessageInput { not_before: earlier, expires_at: Some(now()), ..input() }, vec!["/expires_at"]),
    ] {
        assert_eq!(wrong(input), pointers);
    }
}

#[test]
fn everybody_reads_their_language() {
    let each = MessageText::Each(EachLanguage { ru: "Привет".to_owned(), en: "Hello".to_owned() });
    assert_eq!(Language::ALL.map(|language| each.in_language(language)), ["Hello", "Привет"]);
    let one = MessageText::One("Hello".to_owned());
    assert_eq!(Language::ALL.map(|language| one.in_language(language)), ["Hello", "Hello"]);
}

/// Each bound by itself, at what is just taken and just not.
#[test]
fn a_message_lies_within_its_bounds() {
    let at = |micros| Some(now().plus(FURTHEST).plus(Duration::from_micros(micros)));
    let users = |count: u8| Audience::Users((0..count).map(|number| UserId::from_random([number; 16])).collect());
    assert_eq!(wrong(MessageInput { not_before: at(0), ..input() }), [""; 0]);
    assert_eq!(wrong(MessageInput { not_before: at(1), ..input() }), ["/not_before"]);
    assert_eq!(wrong(MessageInput { expires_at: at(0), ..input() }), [""; 0]);
    assert_eq!(wrong(MessageInput { expires_at: at(1), ..input() }), ["/expires_at"]);
    assert_eq!(wrong(MessageInput { to: users(200), ..input() }), [""; 0]);
    assert_eq!(wrong(MessageInput { to: users(201), ..input() }), ["/to/user_ids"]);
}

/// Whoever asks for it in the past has it sent now; users are named once and in order, and what was wrong before stays so.
#[test]
fn a_message_that_is_right_says_what_will_be_done() {
    let (one, two) = (UserId::from_random([1; 16]), UserId::from_random([2; 16]));
    let mut asked = input();
    asked.to = Audience::Users(vec![two, one, two]);
    asked.not_before = Some(now().minus(Duration::from_secs(60)));
    asked.channels = Some(vec!["telegram".to_owned(), "inbox".to_owned()]);
    let checked = asked.clone().check(now(), Vec::new()).unwrap_or_else(|error| panic!("{error:?}"));
    assert!(matches!(&checked.to, Audience::Users(users) if *users == [one, two]));
    assert_eq!((checked.due_at, checked.expires_at), (now(), None));
    assert_eq!(checked.channels, [MessageChannel::Telegram, MessageChannel::Inbox]);
    let all = input().check(now(), Vec::new()).unwrap_or_else(|error| panic!("{error:?}"));
    assert_eq!(all.channels, MessageChannel::ALL);
    let found = asked.check(now(), vec![InvalidField::new("/action_url", "must be a URL")]);
    assert!(matches!(found, Err(Refusal::InvalidInput(fields)) if fields.len() == 1));
}

#[test]
fn copies_are_counted_by_channel_and_state() {
    let mut counts = MessageCounts::default();
    counts.add("email", "pending", 2);
    counts.add("email", "pending", -1);
    counts.add("inbox", "pending", 5);
    let mut both = counts.clone();
    both.merge(&counts);
    both.merge(&MessageCounts::default());
    assert_eq!(
        (counts.get("email", "pending"), counts.get("inbox", "pending"), counts.get("email", "dead")),
        (1, 5, 0)
    );
    assert_eq!((both.get("email", "pending"), both.get("inbox", "pending")), (2, 10));
    let slot = |last: u8| MessageCounts::slot_of(UserId(uuid::Uuid::from_u128(u128::from(last))));
    assert_eq!([0, 1, 63, 64, 65].map(slot), [0, 1, 63, 0, 1]);
}
