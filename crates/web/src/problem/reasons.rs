//! The second table of words: why a sign-in through a provider ends, in both languages. A reason comes as `reason` in a
//! problem, or as `error` where the browser lands after a sign-in. Deliberately absent: statuses; the problem has one.

/// One reason, as published in `docs/problems.md` and at `/problems/<slug>`.
#[derive(Debug, PartialEq, Eq)]
pub struct Reason {
    /// Stable word.
    pub slug: &'static str,
    /// English title.
    pub title: &'static str,
    /// Russian title.
    pub title_ru: &'static str,
    /// What the person, or whoever runs the service, can do.
    pub advice: &'static str,
    /// The same in Russian.
    pub advice_ru: &'static str,
}

const AGAIN: (&str, &str) = ("Start the sign-in again.", "Начните вход заново.");
const REPORT: (&str, &str) = (
    "Start the sign-in again. If it happens again, tell those who run the service.",
    "Начните вход заново. Если это повторится, сообщите тем, кто обслуживает сервис.",
);
const APP: (&str, &str) = (
    "Start the sign-in again. If it happens again, whoever makes the app must look at what it sends.",
    "Начните вход заново. Если это повторится, разработчикам приложения нужно проверить, что оно передаёт.",
);

const fn of(
    slug: &'static str,
    (title, title_ru): (&'static str, &'static str),
    (advice, advice_ru): (&'static str, &'static str),
) -> Reason {
    Reason { slug, title, title_ru, advice, advice_ru }
}

/// Every reason, by its word.
pub static ALL: &[Reason] = &[
    of("access_denied", ("The sign-in was cancelled", "Вход отменён"), AGAIN),
    of(
        "account_gone",
        ("The account is no longer there", "Учётной записи больше нет"),
        (
            "Sign in another way, or ask those who run the service.",
            "Войдите иначе или обратитесь к тем, кто обслуживает сервис.",
        ),
    ),
    of(
        "algorithm_not_allowed",
        (
            "The provider's token is signed in a way that is not accepted",
            "Токен провайдера подписан недопустимым способом",
        ),
        REPORT,
    ),
    of(
        "audience_mismatch",
        ("The provider's token is meant for another application", "Токен провайдера предназначен другому приложению"),
        APP,
    ),
    of(
        "bot_refused",
        ("Bots cannot sign in", "Боты войти не могут"),
        ("Sign in with a person's account.", "Войдите с учётной записью человека."),
    ),
    of(
        "browser_mismatch",
        ("This sign-in was begun in another browser", "Этот вход начат в другом браузере"),
        (
            "Finish it in the browser where it began, or start again here. Cookies must be allowed.",
            "Завершите его в том браузере, где начали, или начните заново здесь. Файлы cookie должны быть разрешены.",
        ),
    ),
    of("callback_malformed", ("The provider's answer cannot be read", "Ответ провайдера не читается"), REPORT),
    of(
        "client_mismatch",
        ("The provider's answer is meant for another application", "Ответ провайдера предназначен другому приложению"),
        APP,
    ),
    of("code_missing", ("The provider sent no code", "Провайдер не прислал код"), REPORT),
    of(
        "code_refused",
        ("The provider does not take its code back", "Провайдер не принял свой код"),
        (
            "It was used or is too old: start the sign-in again.",
            "Код уже использован или устарел: начните вход заново.",
        ),
    ),
    of(
        "domain_not_allowed",
        ("Addresses of this domain are not admitted", "Адреса этого домена не допускаются"),
        (
            "Use an account with a confirmed address of your organisation, or ask those who run the service.",
            "Войдите с подтверждённым адресом вашей организации или обратитесь к тем, кто обслуживает сервис.",
        ),
    ),
    of(
        "invitation_refused",
        ("The invitation is not good any more", "Приглашение больше не действует"),
        (
            "It was used, withdrawn, or its time is over: ask for a new one.",
            "Оно использовано, отозвано, или его срок истёк: попросите новое.",
        ),
    ),
    of(
        "issuer_mismatch",
        (
            "The answer comes from another provider than the one that was asked",
            "Ответил не тот провайдер, к которому обращались",
        ),
        REPORT,
    ),
    of(
        "key_unknown",
        ("The provider's token is signed with an unknown key", "Токен провайдера подписан неизвестным ключом"),
        REPORT,
    ),
    of(
        "nonce_mismatch",
        ("The provider's token belongs to another sign-in", "Токен провайдера относится к другому входу"),
        APP,
    ),
    of("nonce_missing", ("The provider's token names no sign-in", "В токене провайдера не указан вход"), APP),
    of(
        "not_supported",
        ("The provider is not used in this way", "С этим провайдером так войти нельзя"),
        ("Sign in another way.", "Войдите иначе."),
    ),
    of("payload_malformed", ("Telegram's data cannot be read", "Данные Telegram не читаются"), APP),
    of(
        "payload_stale",
        ("Telegram's data is too old", "Данные Telegram устарели"),
        ("Open the page or the Mini App again.", "Откройте страницу или мини-приложение заново."),
    ),
    of(
        "provider_disabled",
        ("This provider is switched off", "Этот провайдер отключён"),
        (
            "Sign in another way, or ask those who run the service.",
            "Войдите иначе или обратитесь к тем, кто обслуживает сервис.",
        ),
    ),
    of("provider_error", ("The provider reported an error", "Провайдер сообщил об ошибке"), REPORT),
    of(
        "provider_mismatch",
        ("This sign-in was begun with another provider", "Этот вход начат с другим провайдером"),
        AGAIN,
    ),
    of("replayed", ("This proof was used already", "Это подтверждение уже использовано"), AGAIN),
    of(
        "sign_up_closed",
        (
            "There is no account yet, and new ones are not made this way",
            "Учётной записи ещё нет, а новые так не создаются",
        ),
        ("Ask those who run the service for an account.", "Попросите учётную запись у тех, кто обслуживает сервис."),
    ),
    of("signature_invalid", ("The provider's signature is not right", "Подпись провайдера неверна"), REPORT),
    of(
        "state_expired",
        ("The sign-in took too long", "Вход занял слишком много времени"),
        ("There are 10 minutes for it: start again.", "На него отводится 10 минут: начните заново."),
    ),
    of(
        "state_mismatch",
        ("The provider's answer belongs to another sign-in", "Ответ провайдера относится к другому входу"),
        AGAIN,
    ),
    of("state_missing", ("The provider's answer names no sign-in", "В ответе провайдера не указан вход"), AGAIN),
    of(
        "state_unknown",
        ("This sign-in is not known, or was finished already", "Этот вход неизвестен или уже завершён"),
        ("If you are not signed in, start again.", "Если вход не выполнен, начните заново."),
    ),
    of(
        "subject_mismatch",
        ("The provider's answers are about two people", "Ответы провайдера относятся к разным людям"),
        REPORT,
    ),
    of("subject_missing", ("The provider does not say who signs in", "Провайдер не сообщил, кто входит"), REPORT),
    of(
        "telegram_id_missing",
        ("Telegram did not give the account's number", "Telegram не передал номер учётной записи"),
        REPORT,
    ),
    of("token_expired", ("The provider's token has expired", "Срок действия токена провайдера истёк"), AGAIN),
    of(
        "token_hash_mismatch",
        ("The provider's tokens do not belong together", "Токены провайдера не подходят друг к другу"),
        REPORT,
    ),
    of("token_malformed", ("The provider's token cannot be read", "Токен провайдера не читается"), REPORT),
    of("token_missing", ("The provider sent no token", "Провайдер не прислал токен"), REPORT),
    of(
        "token_not_yet_valid",
        ("The provider's token is not valid yet", "Токен провайдера ещё не действует"),
        ("The clocks differ: try again in a minute.", "Часы расходятся: повторите через минуту."),
    ),
    of("token_refused", ("The provider does not accept the token", "Провайдер не принял токен"), AGAIN),
    of("token_stale", ("The provider's token is too old", "Токен провайдера выдан слишком давно"), AGAIN),
];

/// The reason with this word.
#[must_use]
pub fn find(slug: &str) -> Option<&'static Reason> {
    ALL.iter().find(|reason| reason.slug == slug)
}
