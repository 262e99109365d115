//! What our own permissions and roles are for, in Russian: the English text is the key, as they give it themselves. Somebody's
//! own words are in no table, and stay as they are.

use crate::texts::Language;

const RUSSIAN: &[(&str, &str)] = &[
    ("See any account and its sessions.", "Видеть любую учётную запись и её сеансы."),
    (
        "Make, change, block, unblock and sign out accounts.",
        "Создавать, изменять, блокировать и разблокировать учётные записи и завершать их сеансы.",
    ),
    ("Remove the second factors of an account.", "Удалять вторые факторы учётной записи."),
    ("Erase accounts for good, and forbid it.", "Стирать учётные записи безвозвратно и запрещать это."),
    ("See roles and permissions.", "Видеть роли и права."),
    (
        "Make, change and remove roles, within what one holds.",
        "Создавать, изменять и удалять роли в пределах собственных прав.",
    ),
    (
        "Give roles and permissions that one holds to users, take them away, and decide requests for them.",
        "Выдавать пользователям роли и права, которые есть у себя, отзывать их и решать запросы на них.",
    ),
    (
        "Register and remove the words of other services' permissions, and so give them.",
        "Регистрировать и удалять названия прав других сервисов, а значит, и выдавать их.",
    ),
    ("Ask what somebody may do.", "Спрашивать, что кому разрешено."),
    ("See every access request.", "Видеть все запросы доступа."),
    ("See service accounts.", "Видеть сервисные учётные записи."),
    ("Make, change and remove service accounts.", "Создавать, изменять и удалять сервисные учётные записи."),
    ("See signing keys.", "Видеть ключи подписи."),
    ("Rotate and revoke signing keys.", "Менять и отзывать ключи подписи."),
    ("Ask whether a token is good.", "Спрашивать, действителен ли токен."),
    ("Read the revocation feed.", "Читать ленту отзывов."),
    ("Read the event feed.", "Читать ленту событий."),
    ("Read, prove and verify the audit log.", "Читать журнал аудита, получать доказательства и проверять его."),
    ("See what becomes of messages.", "Видеть, что стало с сообщениями."),
    ("Try messages again, and give them up.", "Отправлять сообщения повторно и отказываться от них."),
    (
        "Send notifications to users, and see what became of them.",
        "Отправлять уведомления пользователям и видеть, что с ними стало.",
    ),
    ("See webhooks.", "Видеть вебхуки."),
    ("Make, change, try and remove webhooks.", "Создавать, изменять, проверять и удалять вебхуки."),
    (
        "See one's own streams of shared signals, and take the signals from them.",
        "Видеть собственные потоки общих сигналов и забирать сигналы из них.",
    ),
    (
        "Set up, change and remove one's own streams of shared signals.",
        "Создавать, изменять и удалять собственные потоки общих сигналов.",
    ),
    ("End every session of anybody at once.", "Разом завершать все сеансы кого угодно."),
    ("May do everything", "Может всё"),
    ("Looks after accounts", "Ведёт учётные записи"),
    (
        "Sees access requests; decides those for roles that name it",
        "Видит запросы доступа; решает запросы на роли, в которых названа",
    ),
    ("Sees everything and changes nothing", "Видит всё и ничего не меняет"),
    (
        "Helps people: sees accounts and what became of messages",
        "Помогает людям: видит учётные записи и что стало с сообщениями",
    ),
];

/// What a permission or role is for, in a language, where it is one of ours.
#[must_use]
pub fn about(description: &str, language: Language) -> &str {
    let known = || RUSSIAN.iter().find(|(english, _)| *english == description);
    match language {
        Language::English => description,
        Language::Russian => known().map_or(description, |(_, russian)| russian),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Permission, Role};

    #[test]
    fn everything_of_ours_is_said_in_russian_too_and_nothing_else_is_touched() {
        let roles = Role::built_in_names().filter_map(|name| Role::built_in(name)?.rules.description);
        let ours: Vec<String> =
            Permission::WELL_KNOWN.iter().map(|known| known.about().to_owned()).chain(roles).collect();
        for text in &ours {
            let russian = about(text, Language::Russian);
            assert!(russian.chars().any(|letter| matches!(letter, 'а'..='я')), "{text}: {russian}");
            assert_eq!(about(text, Language::English), text);
        }
        assert_eq!(ours.len(), RUSSIAN.len(), "a text of nobody");
        assert_eq!(about("Writes the news", Language::Russian), "Writes the news");
    }
}
