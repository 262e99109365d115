//! The one table of problems: slug, status, titles, advice and OAuth code of each. The only place with status codes
//! of refusals. Deliberately absent: rendering (`problem.rs`) and any value of a request.

use std::time::Duration;

use userd_model::Refusal;

/// One kind of problem, as published in `docs/problems.md`.
#[derive(Debug, PartialEq, Eq)]
pub struct Row {
    /// Stable word; the problem's `type` is `/problems/<slug>`.
    pub slug: &'static str,
    /// HTTP status.
    pub status: u16,
    /// English title.
    pub title: &'static str,
    /// Russian title, for `Accept-Language: ru`.
    pub title_ru: &'static str,
    /// What the caller can do.
    pub advice: &'static str,
    /// The same in Russian.
    pub advice_ru: &'static str,
    /// The `error` code on `/oauth2/*` (RFC 6749 section 5.2).
    pub oauth: &'static str,
}

macro_rules! problems {
    ($($name:ident = $status:literal $slug:literal, $oauth:literal, $title:literal, $title_ru:literal, $advice:literal, $advice_ru:literal;)+) => {
        $(
            #[doc = concat!($title, " (", $status, ").")]
            pub static $name: Row =
                Row {
                    slug: $slug, status: $status, oauth: $oauth,
                    title: $title, title_ru: $title_ru, advice: $advice, advice_ru: $advice_ru,
                };
        )+
        /// Every kind of problem, in the order of the documentation.
        pub static ALL: &[&Row] = &[$(&$name),+];
    };
}

problems! {
    MALFORMED_REQUEST = 400 "malformed_request", "invalid_request", "The request is malformed", "Запрос составлен неверно",
        "Correct the header, parameter or URL named in `detail`.",
        "Исправьте заголовок, параметр или URL, названный в `detail`.";
    MALFORMED_JSON = 400 "malformed_json", "invalid_request", "The body is not valid JSON", "Тело запроса — не корректный JSON",
        "Send one JSON object in UTF-8, at most 32 levels deep, with numbers that fit into 64 bits.",
        "Передайте один объект JSON в UTF-8, не глубже 32 уровней, с числами, которые помещаются в 64 бита.";
    DUPLICATE_MEMBER = 400 "duplicate_member", "invalid_request", "A name occurs twice", "Имя встречается дважды",
        "Send each member, parameter and header once; with duplicates, readers disagree about what was meant.",
        "Передавайте каждый член, параметр и заголовок один раз: повторы разные программы читают по-разному.";
    UNKNOWN_FIELD = 400 "unknown_field", "invalid_request", "Unknown field", "Неизвестное поле",
        "Remove the field at `errors[].pointer`, or correct its spelling.",
        "Уберите поле `errors[].pointer` или исправьте его имя.";
    MISSING_FIELD = 400 "missing_field", "invalid_request", "A required field is missing", "Не указано обязательное поле",
        "Add the field at `errors[].pointer`.",
        "Добавьте поле `errors[].pointer`.";
    WRONG_TYPE = 400 "wrong_type", "invalid_request", "A field has the wrong type or form", "Поле имеет неверный тип или формат",
        "Give the field at `errors[].pointer` the type that the API document shows.",
        "Приведите поле `errors[].pointer` к типу из документа API.";
    INVALID_PARAMETER = 400 "invalid_parameter", "invalid_request", "A query parameter is not valid", "Недопустимый параметр запроса",
        "Correct or remove the query parameter at `errors[].pointer`.",
        "Исправьте или уберите параметр запроса `errors[].pointer`.";
    INVALID_CURSOR = 400 "invalid_cursor", "invalid_request", "The cursor is not valid", "Недействительный курсор",
        "Pass `next_cursor` of the same list unchanged, with the same filters; or start again without a cursor.",
        "Передавайте `next_cursor` того же списка без изменений и с теми же фильтрами или начните без курсора.";
    NOT_SIGNED_IN = 401 "not_signed_in", "invalid_token", "Not signed in", "Вход не выполнен",
        "Send a valid access token as `Authorization: Bearer …`; refresh it when it has expired.",
        "Передайте действующий токен доступа: `Authorization: Bearer …`; истёкший обновите.";
    WRONG_CREDENTIALS = 401 "wrong_credentials", "invalid_grant", "Wrong login or password", "Неверный логин или пароль",
        "Check both. The answer is the same for an unknown login.",
        "Проверьте и то и другое. Для неизвестного логина ответ такой же.";
    INVALID_REFRESH_TOKEN = 401 "invalid_refresh_token", "invalid_grant", "The refresh token is not valid", "Недействительный токен обновления",
        "Sign in again.",
        "Войдите заново.";
    PROVIDER_REFUSED = 401 "provider_refused", "invalid_grant", "The provider's answer is not accepted", "Ответ провайдера не принят",
        "Start the sign-in again; `reason` says which check failed.",
        "Начните вход заново; `reason` называет проверку, которая не прошла.";
    INVALID_CLIENT = 401 "invalid_client", "invalid_client", "The client is not authenticated", "Клиент не прошёл аутентификацию",
        "Send the client's id and secret with HTTP Basic authentication.",
        "Передайте id и секрет клиента по HTTP Basic.";
    FORBIDDEN = 403 "forbidden", "unauthorized_client", "Not allowed", "Недостаточно прав",
        "Ask an administrator for the permission that the API document names for this operation.",
        "Попросите у администратора право, которое документ API называет для этой операции.";
    SIGN_IN_NOT_ALLOWED = 403 "sign_in_not_allowed", "invalid_grant", "This way of signing in is not allowed now", "Этот способ входа сейчас не разрешён",
        "`reason` says why. The session stays and can be renewed once the rule allows it; or sign in another way.",
        "Причина — в `reason`. Сеанс остаётся, и его можно будет продлить, когда правило это позволит; или войдите иначе.";
    BLOCKED = 403 "blocked", "invalid_grant", "The account is blocked", "Учётная запись заблокирована",
        "Ask the operators of the service.",
        "Обратитесь к тем, кто обслуживает сервис.";
    ACCOUNT_DELETED = 403 "account_deleted", "invalid_grant", "The account is deleted", "Учётная запись удалена",
        "Restore it with `restore_token`: `POST /v1/auth/restore`. It is erased when its time is over.",
        "Восстановите её с помощью `restore_token`: `POST /v1/auth/restore`. По истечении срока она будет стёрта.";
    WRONG_CURRENT_PASSWORD = 403 "wrong_current_password", "invalid_request", "The current password is wrong", "Неверный текущий пароль",
        "Send the password that the account has now as `current_password`.",
        "Передайте в `current_password` пароль, который действует сейчас.";
    INSUFFICIENT_USER_AUTHENTICATION = 403 "insufficient_user_authentication", "insufficient_user_authentication", "Prove again who you are to do this", "Подтвердите ещё раз, что это вы",
        "`WWW-Authenticate` says how strongly (`acr_values`) and how lately (`max_age`, seconds): step up at `/v1/auth/step-up`, or sign in again, and repeat the request.",
        "В `WWW-Authenticate` сказано, насколько надёжно (`acr_values`) и как давно (`max_age`, секунды): подтвердите вход через `/v1/auth/step-up` или войдите заново и повторите запрос.";
    REGISTRATION_CLOSED = 403 "registration_closed", "invalid_request", "Registration is closed", "Регистрация закрыта",
        "Ask the operators of the service for an invitation or an account.",
        "Попросите приглашение или учётную запись у тех, кто обслуживает сервис.";
    OWN_REQUEST = 403 "own_request", "invalid_request", "Nobody decides about their own request", "О своём запросе не решают сами",
        "Somebody else has to decide it; you can withdraw it.",
        "Решить должен кто-то другой; вы можете отозвать запрос.";
    NOT_REQUESTABLE = 403 "not_requestable", "invalid_request", "This cannot be asked for", "Об этом нельзя попросить",
        "Only roles and permissions that are marked as requestable can be asked for; ask an administrator for anything else.",
        "Попросить можно только о том, что в ролях и правах отмечено как доступное по запросу; об остальном спросите администратора.";
    CROSS_SITE = 403 "cross_site", "invalid_request", "Cross-site embedding is refused", "Встраивание с других сайтов запрещено",
        "Call the API with fetch in CORS mode from an origin that is listed in `http.cors_origins`.",
        "Вызывайте API через fetch в режиме CORS с источника, указанного в `http.cors_origins`.";
    NOT_FOUND = 404 "not_found", "invalid_request", "Not found", "Не найдено",
        "Check the path and the id. Things whose existence is private answer the same.",
        "Проверьте путь и id. Так же отвечает и то, о существовании чего знать не положено.";
    NO_SUCH_PROVIDER = 404 "no_such_provider", "invalid_request", "No such provider", "Нет такого провайдера",
        "`GET /v1/auth/providers` lists the enabled ones.",
        "Включённых провайдеров перечисляет `GET /v1/auth/providers`.";
    METHOD_NOT_ALLOWED = 405 "method_not_allowed", "invalid_request", "Method not allowed", "Метод не поддерживается",
        "Use one of the methods in the `Allow` header.",
        "Используйте один из методов заголовка `Allow`.";
    NOT_ACCEPTABLE = 406 "not_acceptable", "invalid_request", "Not acceptable", "Неприемлемый формат ответа",
        "Accept `application/json`.",
        "Принимайте `application/json`.";
    REQUEST_TIMEOUT = 408 "request_timeout", "invalid_request", "The body came too slowly", "Тело запроса поступало слишком медленно",
        "Send the whole body at once.",
        "Передайте тело целиком и сразу.";
    EMAIL_TAKEN = 409 "email_taken", "invalid_request", "The e-mail address is taken", "Адрес почты занят",
        "Use another address, or sign in to the account that has it.",
        "Укажите другой адрес или войдите в учётную запись с этим адресом.";
    USERNAME_TAKEN = 409 "username_taken", "invalid_request", "The username is taken", "Имя пользователя занято",
        "Choose another username; names that look the same count as the same.",
        "Выберите другое имя; имена, которые выглядят одинаково, считаются одним.";
    IDENTITY_TAKEN = 409 "identity_taken", "invalid_request", "The account elsewhere is linked to another user", "Внешняя учётная запись привязана к другому пользователю",
        "Sign in with it, or unlink it from the other user first.",
        "Войдите через неё или сначала отвяжите её от другого пользователя.";
    LAST_WAY_IN = 409 "last_way_in", "invalid_request", "This is the last way to sign in", "Это последний способ входа",
        "Set a password or link another account first.",
        "Сначала задайте пароль или привяжите другую учётную запись.";
    FACTOR_REQUIRED = 409 "factor_required", "invalid_request", "This account must have a second factor", "У этой учётной записи должен быть второй фактор",
        "Set another one up first, then remove this one.",
        "Сначала настройте другой, затем удалите этот.";
    LAST_ADMINISTRATOR = 409 "last_administrator", "invalid_request", "This is the last administrator", "Это последний администратор",
        "Make another administrator first: `userd users create-admin --email me@example.org`.",
        "Сначала создайте другого администратора: `userd users create-admin --email me@example.org`.";
    ACCOUNT_EXISTS = 409 "account_exists", "invalid_request", "An account with this e-mail exists", "Учётная запись с этой почтой уже существует",
        "Sign in to that account and link the provider there.",
        "Войдите в эту учётную запись и привяжите провайдера там.";
    SETUP_DONE = 409 "setup_done", "invalid_request", "Setup is already done", "Первичная настройка уже выполнена",
        "Ask an existing administrator.",
        "Обратитесь к администратору, который уже есть.";
    PRIMARY_EMAIL = 409 "primary_email", "invalid_request", "This is the first address of the account", "Это основной адрес учётной записи",
        "Make another address the first one, then remove this one.",
        "Сделайте основным другой адрес, затем удалите этот.";
    NO_PASSWORD = 409 "no_password", "invalid_request", "The account has no password", "У учётной записи нет пароля",
        "Its owner signs in another way; there is no password to be changed.",
        "Её владелец входит иначе; пароля, который нужно сменить, нет.";
    NO_ADDRESS = 409 "no_address", "invalid_request", "The account has no address that may get this link", "У учётной записи нет адреса, на который можно отправить эту ссылку",
        "Its owner adds an e-mail address and proves it; an account with roles or permissions needs a proven one. Otherwise the operator sets a password: `userd users set-password`.",
        "Владелец добавляет адрес почты и подтверждает его: учётной записи с ролями или правами нужен подтверждённый. Иначе пароль задаёт оператор: `userd users set-password`.";
    NOT_DELETED = 409 "not_deleted", "invalid_request", "The account is not deleted", "Учётная запись не удалена",
        "Only a deleted account is erased: delete it first.",
        "Стирается только удалённая учётная запись: сначала удалите её.";
    LEGAL_HOLD = 409 "legal_hold", "invalid_request", "The account may not be erased", "Учётную запись нельзя стереть",
        "Lift the legal hold of the account first.",
        "Сначала снимите с учётной записи запрет на удаление данных.";
    REQUEST_CLOSED = 409 "request_closed", "invalid_request", "The request is not open any more", "Запрос уже закрыт",
        "It was decided or withdrawn, or has expired. Make a new one if it is still needed.",
        "По нему решили, его отозвали, или он истёк. Если это ещё нужно, создайте новый.";
    REQUEST_OPEN = 409 "request_open", "invalid_request", "There is an open request for this", "Такой запрос уже открыт",
        "Wait for its decision, or withdraw it first.",
        "Дождитесь решения или сначала отзовите его.";
    NO_APPROVER = 409 "no_approver", "invalid_request", "Nobody could decide this request", "Некому решить по этому запросу",
        "Fewer people may decide it than must agree; ask an administrator to name approvers of the role.",
        "Решать могут меньше людей, чем должно согласиться; попросите администратора назначить согласующих для роли.";
    NOTHING_TO_CHANGE = 409 "nothing_to_change", "invalid_request", "This is so already", "Это уже так",
        "Look at what is held; nothing has to be done.",
        "Посмотрите, что уже есть; делать ничего не нужно.";
    NAME_TAKEN = 409 "name_taken", "invalid_request", "The name is taken", "Имя занято",
        "Choose another name, or change what has it.",
        "Выберите другое имя или измените то, что его носит.";
    BUILT_IN = 409 "built_in", "invalid_request", "This is built in and stays as it is", "Это встроено и не меняется",
        "Make a role or permission of your own.",
        "Создайте собственную роль или право.";
    MANAGED_BY_CONFIGURATION = 409 "managed_by_configuration", "invalid_request", "The configuration declares this", "Это задано в конфигурации",
        "Change the configuration and run `userd roles apply`.",
        "Измените конфигурацию и выполните `userd roles apply`.";
    IN_USE = 409 "in_use", "invalid_request", "This is in use", "Это используется",
        "Take it from whoever holds it, and out of roles that name it, first.",
        "Сначала снимите это с тех, у кого оно есть, и уберите из ролей, которые его называют.";
    TOO_MANY_STREAMS = 409 "too_many_streams", "invalid_request", "There are too many streams", "Слишком много потоков",
        "Remove a stream that is not needed, or change one: a service account has at most four.",
        "Удалите ненужный поток или измените существующий: у сервисной учётной записи их не больше четырёх.";
    REQUEST_IN_PROGRESS = 409 "request_in_progress", "invalid_request", "The same request is still running", "Такой же запрос ещё выполняется",
        "Repeat it with the same idempotency key a moment later.",
        "Повторите его чуть позже с тем же ключом идемпотентности.";
    REPLAY_REFUSED = 409 "replay_refused", "invalid_request", "The request can no longer be repeated", "Запрос больше нельзя повторить",
        "The first one was carried out; since then the password changed, the account was blocked or was signed out everywhere. Sign in.",
        "Первый запрос выполнен; с тех пор сменился пароль, учётную запись заблокировали или вышли со всех устройств. Войдите.";
    SECRET_ALREADY_SHOWN = 409 "secret_already_shown", "invalid_request", "The secret was already shown", "Секрет уже был показан",
        "It is shown again for 10 minutes only. Make a new one, for example by rotating it.",
        "Повторно он показывается только 10 минут. Создайте новый, например заменив прежний.";
    CURSOR_EXPIRED = 410 "cursor_expired", "invalid_request", "The cursor has expired", "Курсор устарел",
        "Start again without a cursor; keep what you know. A backup of the service was restored, or the entries are gone.",
        "Начните без курсора и сохраните то, что знаете. Сервис восстановлен из копии, или этих записей уже нет.";
    CHALLENGE_GONE = 410 "challenge_gone", "invalid_grant", "The sign-in has to be started again", "Вход нужно начать заново",
        "Its challenge was used, is older than 10 minutes, or was answered wrongly too often. Start the sign-in again.",
        "Он уже завершён, начат больше 10 минут назад, или было слишком много неверных ответов. Начните вход заново.";
    INVITATION_GONE = 410 "invitation_gone", "invalid_grant", "This invitation is not good any more", "Это приглашение больше не действует",
        "It was used, withdrawn, or its time is over. Ask for a new one.",
        "Оно использовано, отозвано, или его срок истёк. Попросите новое.";
    LINK_GONE = 410 "link_gone", "invalid_grant", "This link does not work any more", "Эта ссылка больше не работает",
        "It was used, or its time is over. If you confirmed it, what it is for is done; otherwise look for a newer message, or sign in and do it in your account.",
        "Она уже использована, или её срок истёк. Если вы её подтвердили, всё сделано; если нет — найдите более новое письмо или войдите и сделайте это в учётной записи.";
    VERSION_MISMATCH = 412 "version_mismatch", "invalid_request", "The resource has changed meanwhile", "Ресурс тем временем изменился",
        "Read it again, apply the change to the new version and send that version in `If-Match`.",
        "Прочтите его снова, примените изменение к новой версии и передайте её в `If-Match`.";
    PAYLOAD_TOO_LARGE = 413 "payload_too_large", "invalid_request", "The body is too large", "Тело запроса слишком велико",
        "Send at most 64 KiB; of permission checks and notifications 512 KiB.",
        "Передавайте не больше 64 КиБ, а проверок прав и уведомлений — не больше 512 КиБ.";
    URI_TOO_LONG = 414 "uri_too_long", "invalid_request", "The URL is too long", "URL слишком длинный",
        "Keep path and query within 8 KiB.",
        "Уложите путь и запрос в 8 КиБ.";
    UNSUPPORTED_MEDIA_TYPE = 415 "unsupported_media_type", "invalid_request", "Unsupported media type", "Неподдерживаемый тип содержимого",
        "Send `Content-Type: application/json` (forms on /oauth2: `application/x-www-form-urlencoded`), without a content encoding.",
        "Передайте `Content-Type: application/json` (формы на /oauth2: `application/x-www-form-urlencoded`) без кодирования содержимого.";
    INVALID_INPUT = 422 "invalid_input", "invalid_request", "The input is not accepted", "Данные не приняты",
        "Correct each field in `errors`.",
        "Исправьте каждое поле из `errors`.";
    INVALID_CODE = 422 "invalid_code", "invalid_grant", "The code is not valid", "Недействительный код",
        "Codes and links work once and for a short time: ask for a new one. The code of a registration that waits needs its `challenge`.",
        "Коды и ссылки действуют один раз и недолго: запросите новый. К коду ожидающей регистрации нужен её `challenge`.";
    INVALID_PASSKEY = 422 "invalid_passkey", "invalid_grant", "The passkey is not accepted", "Ключ доступа не принят",
        "Begin again. A passkey that was removed in the account has to be removed on the device too.",
        "Начните заново. Ключ, удалённый из учётной записи, нужно удалить и на устройстве.";
    INVALID_TARGET = 422 "invalid_target", "invalid_target", "No tokens are issued for this resource", "Для этого ресурса токены не выдаются",
        "Send one of the audiences that the service is configured with as `resource`, or none.",
        "Передайте в `resource` одну из аудиторий, заданных сервису, или ничего.";
    IDEMPOTENCY_MISMATCH = 422 "idempotency_mismatch", "invalid_request", "The idempotency key was used with another request", "Ключ идемпотентности использован с другим запросом",
        "Use a new key for each new request.",
        "Для каждого нового запроса берите новый ключ.";
    TOO_MANY_ATTEMPTS = 429 "too_many_attempts", "slow_down", "Too many attempts", "Слишком много попыток",
        "Wait as long as `Retry-After` says.",
        "Подождите столько, сколько указано в `Retry-After`.";
    HEADERS_TOO_LARGE = 431 "headers_too_large", "invalid_request", "The headers are too large", "Слишком большие заголовки",
        "Keep all headers together within 32 KiB and 100 fields.",
        "Уложите все заголовки вместе в 32 КиБ и 100 полей.";
    UNSUPPORTED_GRANT_TYPE = 400 "unsupported_grant_type", "unsupported_grant_type", "Unsupported grant type", "Неподдерживаемый тип разрешения",
        "Use one of `grant_types_supported` in the authorization server metadata.",
        "Возьмите один из `grant_types_supported` из метаданных сервера авторизации.";
    INTERNAL = 500 "internal", "server_error", "Internal error", "Внутренняя ошибка",
        "Report it with the request id in `instance`; the log has the cause.",
        "Сообщите id запроса из `instance`: причина есть в журнале.";
    BUSY = 503 "busy", "temporarily_unavailable", "The service is busy", "Сервис перегружен",
        "Repeat the request after `Retry-After`.",
        "Повторите запрос через `Retry-After`.";
    UNAVAILABLE = 503 "unavailable", "temporarily_unavailable", "Temporarily unavailable", "Сервис временно недоступен",
        "Repeat the request after `Retry-After`.",
        "Повторите запрос через `Retry-After`.";
    PROVIDER_UNAVAILABLE = 503 "provider_unavailable", "temporarily_unavailable", "The provider cannot be reached now", "Провайдер сейчас недоступен",
        "Repeat the request after `Retry-After`, or sign in another way.",
        "Повторите запрос через `Retry-After` или войдите иначе.";
    DEADLINE_EXCEEDED = 503 "deadline_exceeded", "temporarily_unavailable", "The request took too long", "Запрос выполнялся слишком долго",
        "Repeat the request after `Retry-After`; use an idempotency key where something is created.",
        "Повторите запрос через `Retry-After`; создавая что-либо, передавайте ключ идемпотентности.";
}

/// The kind with this slug.
#[must_use]
pub fn find(slug: &str) -> Option<&'static Row> {
    ALL.iter().copied().find(|row| row.slug == slug)
}

/// The row of each refusal.
pub(super) fn of_refusal(refusal: &Refusal) -> &'static Row {
    match refusal {
        Refusal::InvalidInput(_) => &INVALID_INPUT,
        Refusal::Malformed(_) => &MALFORMED_REQUEST,
        Refusal::NotSignedIn | Refusal::ForAnotherService { .. } => &NOT_SIGNED_IN,
        Refusal::WrongCredentials => &WRONG_CREDENTIALS,
        Refusal::WrongCurrentPassword => &WRONG_CURRENT_PASSWORD,
        Refusal::InvalidRefreshToken => &INVALID_REFRESH_TOKEN,
        Refusal::InvalidCode => &INVALID_CODE,
        Refusal::InvalidPasskey => &INVALID_PASSKEY,
        Refusal::Forbidden => &FORBIDDEN,
        Refusal::Blocked => &BLOCKED,
        Refusal::SignInNotAllowed(_) => &SIGN_IN_NOT_ALLOWED,
        Refusal::NotFound => &NOT_FOUND,
        Refusal::RequestClosed(_) => &REQUEST_CLOSED,
        Refusal::OwnRequest => &OWN_REQUEST,
        Refusal::RequestOpen => &REQUEST_OPEN,
        Refusal::NoApprover => &NO_APPROVER,
        Refusal::NotRequestable => &NOT_REQUESTABLE,
        Refusal::NothingToChange => &NOTHING_TO_CHANGE,
        Refusal::NameTaken => &NAME_TAKEN,
        Refusal::BuiltIn => &BUILT_IN,
        Refusal::ManagedByConfiguration => &MANAGED_BY_CONFIGURATION,
        Refusal::InUse => &IN_USE,
        Refusal::TooManyStreams => &TOO_MANY_STREAMS,
        Refusal::EmailTaken => &EMAIL_TAKEN,
        Refusal::UsernameTaken => &USERNAME_TAKEN,
        Refusal::IdentityTaken => &IDENTITY_TAKEN,
        Refusal::LastWayIn => &LAST_WAY_IN,
        Refusal::LastAdministrator => &LAST_ADMINISTRATOR,
        Refusal::AccountExists => &ACCOUNT_EXISTS,
        Refusal::RegistrationClosed => &REGISTRATION_CLOSED,
        Refusal::SetupDone => &SETUP_DONE,
        Refusal::PrimaryEmail => &PRIMARY_EMAIL,
        Refusal::NoPassword => &NO_PASSWORD,
        Refusal::NoAddress => &NO_ADDRESS,
        Refusal::NotDeleted => &NOT_DELETED,
        Refusal::OnLegalHold => &LEGAL_HOLD,
        Refusal::CursorExpired => &CURSOR_EXPIRED,
        Refusal::ChallengeGone => &CHALLENGE_GONE,
        Refusal::InvitationGone => &INVITATION_GONE,
        Refusal::LinkGone => &LINK_GONE,
        Refusal::VersionMismatch => &VERSION_MISMATCH,
        Refusal::InvalidTarget => &INVALID_TARGET,
        Refusal::IdempotencyMismatch => &IDEMPOTENCY_MISMATCH,
        Refusal::ReplayRefused => &REPLAY_REFUSED,
        Refusal::SecretAlreadyShown => &SECRET_ALREADY_SHOWN,
        Refusal::InsufficientAuthentication { .. } => &INSUFFICIENT_USER_AUTHENTICATION,
        Refusal::FactorRequired => &FACTOR_REQUIRED,
        Refusal::NoSuchProvider => &NO_SUCH_PROVIDER,
        Refusal::ProviderRefused(_) => &PROVIDER_REFUSED,
        Refusal::ProviderUnavailable => &PROVIDER_UNAVAILABLE,
        Refusal::TooManyAttempts(_) => &TOO_MANY_ATTEMPTS,
        Refusal::Busy(_) => &BUSY,
        Refusal::InvalidClient => &INVALID_CLIENT,
    }
}

/// How long a caller should wait where nothing better is known.
pub(super) const DEFAULT_RETRY: Duration = Duration::from_secs(2);
