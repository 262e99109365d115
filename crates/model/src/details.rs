//! What is wrong with a field, in Russian: the English text is the key, as rules and parsers give it, and `{}` in it
//! stands for a value. A house test finds a text that has no translation.
use std::borrow::Cow;

use crate::texts::Language;

/// English, Russian. Read after the field's name: "must have …", "must not …", "is …".
const RUSSIAN: &[(&str, &str)] = &[
    ("must have at most 64 items", "должно содержать не больше 64 элементов"),
    ("is no document in its current version", "не называет документ в его текущей версии"),
    (
        "must name every required document in its current version",
        "должно называть каждый обязательный документ в его текущей версии",
    ),
    (
        "must wait until the first address of the account is proven",
        "должно подождать, пока не подтверждён основной адрес",
    ),
    ("must be one of at most six addresses", "должно быть одним из не более чем шести адресов"),
    ("must be the address that was invited", "должно совпадать с приглашённым адресом"),
    ("must be 1 to {}", "должно быть от 1 до {}"),
    (
        "must be 1: an invitation to an address is for one account",
        "должно быть 1: приглашение на адрес даёт одну учётную запись",
    ),
    ("must lie ahead, within a year", "должно лежать в будущем, не дальше года"),
    ("must not be the password so far", "не должно совпадать с прежним паролем"),
    ("must have 1 to {} items", "должно содержать от 1 до {} элементов"),
    ("must name one of your notifications", "должно называть одно из ваших уведомлений"),
    ("is for what this service itself says", "занято: так говорит только сам сервис"),
    (
        "must be at most 16 KiB, title and data included",
        "должно вместе с заголовком и данными занимать не больше 16 КиБ",
    ),
    ("must be inbox, email or telegram", "должно быть inbox, email или telegram"),
    ("must be later than now and than not_before", "должно быть позже настоящего времени и времени not_before"),
    (
        "must be one of user_ids, role and all, which is true",
        "должно содержать ровно одно из user_ids, role и all, равного true",
    ),
    ("must be the name of a role", "должно быть названием роли"),
    ("must be within a year", "должно наступить в течение года"),
    ("must be within a year after it is sent", "должно наступить в течение года после отправки"),
    ("must begin with https:// or http://", "должно начинаться с https:// или http://"),
    ("must have 1 to 200 characters", "должно содержать от 1 до 200 символов"),
    ("must have at most 2048 characters", "должно содержать не больше 2048 символов"),
    ("must have no user name and password", "не должно содержать имени пользователя и пароля"),
    ("must name 1 to 200 users", "должно называть от 1 до 200 пользователей"),
    ("must name a channel, or be left out for all", "должно называть канал или отсутствовать, если нужны все"),
    ("stands here twice", "указано дважды"),
    ("must have 1 to 100 characters", "должно содержать от 1 до 100 символов"),
    ("must have 1 to 500 characters", "должно содержать от 1 до 500 символов"),
    ("must have at most 35 characters", "должно содержать не больше 35 символов"),
    ("must be a BCP 47 language tag, such as ru or pt-BR", "должно быть тегом языка BCP 47, например ru или pt-BR"),
    ("must be an IANA time zone, such as Europe/Moscow", "должно быть часовым поясом IANA, например Europe/Moscow"),
    ("must have at most 64 members", "должно содержать не больше 64 членов"),
    ("must be at most 16 KiB of JSON", "должно занимать не больше 16 КиБ в JSON"),
    ("must have keys of 1 to 64 characters", "ключи должны содержать от 1 до 64 символов"),
    ("must not have control characters in keys", "не должно содержать управляющих символов в ключах"),
    ("must be nested at most 8 levels deep", "должно быть вложено не глубже 8 уровней"),
    ("must not contain the character NUL", "не должно содержать символа NUL"),
    ("must have a visible character", "должно содержать видимый символ"),
    (
        "must not contain line breaks or control characters",
        "не должно содержать переводов строк и управляющих символов",
    ),
    (
        "must not contain characters that hide or turn text",
        "не должно содержать символов, которые скрывают или переворачивают текст",
    ),
    ("must not stack combining marks", "не должно содержать громоздящихся надстрочных знаков"),
    ("must have at most {} bytes", "должно занимать не больше {} байт"),
    ("must have at least {} characters", "должно содержать не меньше {} символов"),
    ("is one of the passwords that are guessed first", "входит в число паролей, которые подбирают первыми"),
    ("is a repetition or a simple sequence", "состоит из повторов или простой последовательности"),
    ("is made of your own name or address", "составлено из вашего имени или адреса"),
    ("is made of the name of this service", "составлено из названия этого сервиса"),
    ("must have 3 to 32 characters", "должно содержать от 3 до 32 символов"),
    ("must not contain @", "не должно содержать @"),
    ("must not mix letters of different alphabets", "не должно смешивать буквы разных алфавитов"),
    ("may have letters, digits, and _ . - between them", "может содержать буквы, цифры и _ . - между ними"),
    (
        "must start with a letter or digit, and have only one of _ . - at a time",
        "должно начинаться с буквы или цифры; знаки _ . - не должны идти подряд",
    ),
    ("must end with a letter or digit", "должно заканчиваться буквой или цифрой"),
    ("must not mix digits of different scripts", "не должно смешивать цифры разных письменностей"),
    ("this name is reserved; choose another one", "это имя зарезервировано; выберите другое"),
    ("is longer than 254 characters", "длиннее 254 символов"),
    ("has no @", "не содержит @"),
    ("has more than one @", "содержит больше одного @"),
    ("contains a line break or another control character", "содержит перевод строки или другой управляющий символ"),
    ("contains a space", "содержит пробел"),
    ("contains an invisible character", "содержит невидимый символ"),
    ("contains a character that only looks like @", "содержит символ, который лишь похож на @"),
    ("has nothing before the @", "перед @ ничего нет"),
    ("has more than 64 characters before the @", "содержит больше 64 символов перед @"),
    ("has characters before the @ that are not ASCII", "содержит перед @ символы не из ASCII"),
    ("has a quoted part before the @", "содержит перед @ часть в кавычках"),
    ("has a misplaced dot before the @", "перед @ точка не на своём месте"),
    ("has a character before the @ that is not allowed there", "содержит перед @ недопустимый там символ"),
    ("has a domain that is not valid", "содержит недопустимый домен"),
    ("has nothing after the @", "после @ ничего нет"),
    ("has a domain without a dot", "содержит домен без точки"),
    ("has an address of a machine as domain", "содержит адрес машины вместо домена"),
    ("must start with + and the country code", "должно начинаться с + и кода страны"),
    ("must have only digits after the +", "после + должны идти только цифры"),
    ("must have 8 to 15 digits", "должно содержать от 8 до 15 цифр"),
    ("must start with a country code, which is never 0", "должно начинаться с кода страны, а это не 0"),
    ("give an e-mail address or a username", "укажите адрес почты или имя пользователя"),
    ("is required: this account has a password", "обязательно: у этой учётной записи есть пароль"),
    ("is not the size of a checkpoint of this log", "не размер контрольной точки этого журнала"),
    ("is no checkpoint", "не контрольная точка"),
    ("is not signed by the key of this log", "не подписано ключом этого журнала"),
    ("is not the current password", "не совпадает с текущим паролем"),
    (
        "is not among the URLs in sign_in.return_to; they are compared exactly",
        "нет среди адресов sign_in.return_to; они сравниваются точно",
    ),
    (
        "is required with return_to: the base64url of the SHA-256 digest of a verifier (RFC 7636, S256)",
        "обязательно вместе с return_to: base64url от SHA-256 проверочного кода (RFC 7636, S256)",
    ),
    (
        "is the base64url of a SHA-256 digest: 43 characters (method S256)",
        "должно быть base64url от SHA-256: 43 символа (метод S256)",
    ),
    ("give a password, a code or a passkey", "укажите пароль, код или ключ доступа"),
    (
        "is no credential in WebAuthn's JSON form (`toJSON()`)",
        "не является ответом браузера в JSON-форме WebAuthn (`toJSON()`)",
    ),
    ("this passkey is set up already", "этот ключ доступа уже добавлен"),
    ("there are 20 second factors already: remove one first", "второй фактор уже задан 20 раз: сначала удалите один"),
    ("no such permission; there are: {}", "такого права нет; есть: {}"),
    ("is not among tokens.audience", "нет среди tokens.audience"),
    ("must name at least one audience", "должно называть хотя бы одну аудиторию"),
    ("no such role", "такой роли нет"),
    ("this role allows what you may not do yourself", "эта роль разрешает то, чего нельзя вам самим"),
    ("must lie ahead", "должно быть в будущем"),
    ("can only be removed; a provider tells it", "можно только удалить: его сообщает провайдер"),
    ("you do not hold this permission", "у вас нет этого права"),
    ("must be a time of day, such as 22:00", "должно быть временем суток, например 22:00"),
    ("must be another time than the one from which it is quiet", "должно быть другим временем, чем начало тихих часов"),
    ("must be named by 1 to 50 of a-z, 0-9, _, . and -", "имя должно состоять из 1–50 знаков: a-z, 0-9, _, . и -"),
    ("must have at most 50 categories, ours included", "должно содержать не больше 50 категорий вместе с нашими"),
    (
        "must stay on: this is how you learn that somebody else is in your account",
        "должно оставаться включённым: так вы узнаете, что в вашу учётную запись вошёл кто-то другой",
    ),
    ("is not a field of this request", "такого поля в этом запросе нет"),
    ("is not a parameter of this request", "такого параметра в этом запросе нет"),
    ("is required", "обязательно"),
    (
        "is required: an account begins when its address is confirmed",
        "обязательно: учётная запись начинается с подтверждения адреса",
    ),
    (
        "is at a domain whose addresses are not accepted here",
        "принадлежит домену, адреса которого здесь не принимаются",
    ),
    ("give token, or email and code", "укажите token или email и code"),
    ("a role keeps its name", "роль сохраняет своё имя"),
    (
        "includes this role itself: roles cannot go in a circle",
        "включает саму эту роль: роли не могут образовывать круг",
    ),
    ("is for grants only", "допускается только для выдачи"),
    ("no such permission: register it first", "такого права нет: сначала зарегистрируйте его"),
    ("a role cannot include itself", "роль не может включать саму себя"),
    ("at most 500 permissions", "не больше 500 прав"),
    ("at most 50 roles", "не больше 50 ролей"),
    ("at most 50 users", "не больше 50 пользователей"),
    ("1 to 100 of a-z, 0-9, _, . and -", "от 1 до 100 символов a-z, 0-9, _, . и -"),
    ("must be between 1 and 20", "должно быть от 1 до 20"),
    ("must be between 60 seconds and 90 days", "должно быть от 60 секунд до 90 дней"),
    ("must be between 60 seconds and 10 years", "должно быть от 60 секунд до 10 лет"),
    ("must lie within 10 years", "должно быть не дальше 10 лет"),
    ("must be given with this request", "нужно указать для этого запроса"),
    ("give 1 to 1000 questions", "задайте от 1 до 1000 вопросов"),
    ("give `subject` and `permission`, or `checks`", "укажите `subject` и `permission` или `checks`"),
    ("no such user", "такого пользователя нет"),
    ("occurs twice", "встречается дважды"),
    ("has not the form that this field needs", "имеет не тот вид, который нужен этому полю"),
    ("expected a string", "должно быть строкой"),
    ("expected a borrowed string", "должно быть строкой"),
    ("expected a boolean", "должно быть true или false"),
    ("expected a map", "должно быть объектом"),
    ("expected struct {}", "должно быть объектом"),
    ("expected a sequence", "должно быть массивом"),
    ("expected one of {}", "должно быть одним из: {}"),
    ("expected a number from 1 to 200", "должно быть числом от 1 до 200"),
    ("expected seconds from 0 to 25", "должно быть числом секунд от 0 до 25"),
    ("expected {}", "имеет не тот вид, который нужен этому полю"),
];

/// The text in this language; one that has no translation stays as it is.
#[must_use]
pub fn in_language(detail: &str, language: Language) -> Cow<'_, str> {
    match language {
        Language::English => Cow::Borrowed(detail),
        Language::Russian => russian(detail).unwrap_or(Cow::Borrowed(detail)),
    }
}

/// The Russian text, if there is one.
#[must_use]
pub fn russian(detail: &str) -> Option<Cow<'static, str>> {
    RUSSIAN.iter().find_map(|(english, russian)| match english.split_once("{}") {
        None => (*english == detail).then_some(Cow::Borrowed(*russian)),
        Some((before, after)) => {
            let value = detail.strip_prefix(before)?.strip_suffix(after)?;
            Some(Cow::Owned(russian.replacen("{}", value, 1)))
        }
    })
}
