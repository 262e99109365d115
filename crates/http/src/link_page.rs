//! The pages behind links in messages, in both languages: a question with a form, and what was done. Deliberately absent:
//! whatever would tell who the link was sent to.

use userd_model::{
    InvalidField, details,
    preferences::{Category, CategoryName, MessageChannel},
};
use userd_services::links::LinkAct;
use userd_web::problem::Language;

/// Asks for the confirmation.
pub(crate) fn question(act: &LinkAct, language: Language) -> String {
    let (title, text, button) = match (act, language) {
        (LinkAct::Unsubscribe { category, channel }, Language::English) => {
            let what = named(category, language);
            ("Unsubscribe", format!("No more messages about {what} {}?", by(*channel, language)), "Unsubscribe")
        }
        (LinkAct::Unsubscribe { category, channel }, Language::Russian) => {
            let what = named(category, language);
            (
                "Отписаться",
                format!("Больше не присылать {} сообщения о том, что касается {what}?", by(*channel, language)),
                "Отписаться",
            )
        }
        (LinkAct::NotMe { .. }, Language::English) => (
            "This was not me",
            "Somebody else may be in your account. Confirm, and every device is signed out at once, yours too."
                .to_owned(),
            "Sign out everywhere",
        ),
        (LinkAct::NotMe { .. }, Language::Russian) => (
            "Это был не я",
            "Возможно, в вашу учётную запись вошёл кто-то другой. Подтвердите — и вход будет завершён сразу на всех \
             устройствах, на ваших тоже."
                .to_owned(),
            "Выйти на всех устройствах",
        ),
        (LinkAct::ConfirmEmail, Language::English) => {
            ("Confirm your address", "Confirm that you read mail at this address.".to_owned(), "Confirm")
        }
        (LinkAct::ConfirmEmail, Language::Russian) => {
            ("Подтверждение адреса", "Подтвердите, что читаете почту по этому адресу.".to_owned(), "Подтвердить")
        }
        (LinkAct::Restore, Language::English) => {
            ("Restore your account", "Have your deleted account back, with everything in it.".to_owned(), "Restore")
        }
        (LinkAct::Restore, Language::Russian) => {
            ("Восстановление аккаунта", "Вернуть удалённый аккаунт со всем, что в нём есть.".to_owned(), "Восстановить")
        }
        (LinkAct::AcceptInvitation, Language::English) => (
            "You are invited",
            "Choose a password, and you have an account with the address that this message went to.".to_owned(),
            "Accept the invitation",
        ),
        (LinkAct::AcceptInvitation, Language::Russian) => (
            "Приглашение",
            "Задайте пароль — и у вас будет аккаунт с адресом, на который пришло это письмо.".to_owned(),
            "Принять приглашение",
        ),
        (LinkAct::ResetPassword, Language::English) => (
            "A new password",
            "Choose a new password. Every device is signed out, and you sign in with it.".to_owned(),
            "Set the password",
        ),
        (LinkAct::ResetPassword, Language::Russian) => (
            "Новый пароль",
            "Задайте новый пароль. Сеансы на всех устройствах завершатся, и вы войдёте с ним.".to_owned(),
            "Задать пароль",
        ),
    };
    form(act, (title, &format!("<p>{text}</p>\n"), button), language)
}

/// The form once more, with what was wrong.
pub(crate) fn again(act: &LinkAct, wrong: &[InvalidField], language: Language) -> String {
    let (title, button) = match language {
        Language::English => ("Not yet", "Try again"),
        Language::Russian => ("Ещё нет", "Попробовать снова"),
    };
    let mut text = String::new();
    for field in wrong {
        let about = match (field.pointer.as_str(), language) {
            ("/new_password", Language::English) => "The password",
            ("/new_password", Language::Russian) => "Пароль:",
            _ => "",
        };
        let detail = details::in_language(&field.detail, language);
        let escaped = detail.replace('&', "&amp;").replace('<', "&lt;");
        text += &format!("<p role=\"alert\">{about} {escaped}.</p>\n");
    }
    form(act, (title, &text, button), language)
}

fn form(act: &LinkAct, (title, text, button): (&str, &str, &str), language: Language) -> String {
    let label = match language {
        Language::English => "New password",
        Language::Russian => "Новый пароль",
    };
    let password = if matches!(act, LinkAct::ResetPassword | LinkAct::AcceptInvitation) {
        format!(
            "<label>{label}<input type=\"password\" name=\"new_password\" autocomplete=\"new-password\" required></label>\n"
        )
    } else {
        String::new()
    };
    let form = format!(
        "<form method=\"post\">\n<input type=\"hidden\" name=\"confirm\" value=\"yes\">\n{password}<button>{button}</button>\n</form>\n"
    );
    page(language, title, &format!("{text}{form}"))
}

/// The account holds a second factor, which a link does not show.
pub(crate) fn sign_in_first(language: Language) -> String {
    let (title, text) = match language {
        Language::English => (
            "Sign in to restore your account",
            "<p>This account has a second factor. Sign in with it, and you are offered the account back.</p>\n",
        ),
        Language::Russian => (
            "Войдите, чтобы восстановить аккаунт",
            "<p>У этого аккаунта есть второй фактор. Войдите с ним — и вам предложат вернуть аккаунт.</p>\n",
        ),
    };
    page(language, title, text)
}

/// Says what was done, and what next.
pub(crate) fn done(act: &LinkAct, language: Language) -> String {
    let (title, text) = match (act, language) {
        (LinkAct::Unsubscribe { category, channel }, Language::English) => (
            "You are unsubscribed",
            format!(
                "<p>You get no more messages about {} {}. The settings of your account switch them on again.</p>\n",
                named(category, language),
                by(*channel, language)
            ),
        ),
        (LinkAct::Unsubscribe { category, channel }, Language::Russian) => (
            "Вы отписаны",
            format!(
                "<p>Сообщения о том, что касается {}, больше не будут приходить {}. Включить их снова можно в настройках \
                 учётной записи.</p>\n",
                named(category, language),
                by(*channel, language)
            ),
        ),
        (LinkAct::NotMe { .. }, Language::English) => (
            "Every device is signed out",
            "<p>Whoever was in your account is out. Do this next:</p>\n<ol>\n<li>Sign in and change your password.</li>\n\
             <li>Look at the linked accounts and at your e-mail address, and remove what is not yours.</li>\n</ol>\n\
             <p>If you cannot sign in any more, turn to the operators of the service.</p>\n"
                .to_owned(),
        ),
        (LinkAct::NotMe { .. }, Language::Russian) => (
            "Вход завершён на всех устройствах",
            "<p>Кто бы ни был в вашей учётной записи, теперь он вышел. Что делать дальше:</p>\n<ol>\n<li>Войдите и смените \
             пароль.</li>\n<li>Проверьте привязанные учётные записи и адрес почты и удалите чужое.</li>\n</ol>\n\
             <p>Если войти не получается, обратитесь к тем, кто обслуживает сервис.</p>\n"
                .to_owned(),
        ),
        (LinkAct::ConfirmEmail, Language::English) => {
            ("The address is confirmed", "<p>You can close this page and sign in.</p>\n".to_owned())
        }
        (LinkAct::ConfirmEmail, Language::Russian) => {
            ("Адрес подтверждён", "<p>Эту страницу можно закрыть и войти.</p>\n".to_owned())
        }
        (LinkAct::Restore, Language::English) => {
            ("Your account is back", "<p>Everything is as it was. Sign in to use it.</p>\n".to_owned())
        }
        (LinkAct::Restore, Language::Russian) => {
            ("Аккаунт восстановлен", "<p>Всё на своих местах. Войдите, чтобы им пользоваться.</p>\n".to_owned())
        }
        (LinkAct::AcceptInvitation, Language::English) => {
            ("You have an account", "<p>Sign in with the address and the password.</p>\n".to_owned())
        }
        (LinkAct::AcceptInvitation, Language::Russian) => {
            ("Аккаунт создан", "<p>Войдите с этим адресом и паролем.</p>\n".to_owned())
        }
        (LinkAct::ResetPassword, Language::English) => (
            "The password is set",
            "<p>Every device is signed out. Sign in with the new password.</p>\n".to_owned(),
        ),
        (LinkAct::ResetPassword, Language::Russian) => (
            "Пароль задан",
            "<p>Сеансы на всех устройствах завершены. Войдите с новым паролем.</p>\n".to_owned(),
        ),
    };
    page(language, title, &text)
}

/// Everybody is thrown out, and the password with them.
pub(crate) fn password_gone(is_mailed: bool, language: Language) -> String {
    let (title, how, last) = match (is_mailed, language) {
        (true, Language::English) => (
            "Every device is signed out",
            "The old password does not sign in any more. A mail with a link to set a new one is on its way to the first address \
             of the account.",
            "Look at the linked accounts, the addresses and the second factors, and remove what is not yours.",
        ),
        (true, Language::Russian) => (
            "Вход завершён на всех устройствах",
            "Старый пароль больше не действует. Письмо со ссылкой для нового уже в пути на основной адрес учётной записи.",
            "Проверьте привязанные учётные записи, адреса и вторые факторы и удалите чужое.",
        ),
        (false, Language::English) => (
            "Every device is signed out",
            "The old password does not sign in any more. Sign in by an account elsewhere or a passkey, and set a new one.",
            "Look at the linked accounts, the addresses and the second factors, and remove what is not yours.",
        ),
        (false, Language::Russian) => (
            "Вход завершён на всех устройствах",
            "Старый пароль больше не действует. Войдите через привязанную учётную запись или ключом доступа и задайте новый.",
            "Проверьте привязанные учётные записи, адреса и вторые факторы и удалите чужое.",
        ),
    };
    page(language, title, &format!("<ol>\n<li>{how}</li>\n<li>{last}</li>\n</ol>\n"))
}

/// What the messages are about. Names of other services' categories have no letter that HTML could read.
fn named(category: &CategoryName, language: Language) -> String {
    let ours = Category::ALL.into_iter().find(|ours| CategoryName::from(*ours) == *category);
    let words = match (ours, language) {
        (Some(Category::Security), Language::English) => "the safety of your account",
        (Some(Category::Security), Language::Russian) => "безопасности вашей учётной записи",
        (Some(Category::Account), Language::English) => "your account",
        (Some(Category::Account), Language::Russian) => "вашей учётной записи",
        (Some(Category::Administration), Language::English) => "running the service",
        (Some(Category::Administration), Language::Russian) => "работы сервиса",
        (Some(Category::Message), Language::English) => "other services",
        (Some(Category::Message), Language::Russian) => "других сервисов",
        (None, _) => return format!("<code>{}</code>", category.as_str()),
    };
    words.to_owned()
}

const fn by(channel: MessageChannel, language: Language) -> &'static str {
    match (channel, language) {
        (MessageChannel::Inbox, Language::English) => "in the application",
        (MessageChannel::Inbox, Language::Russian) => "в приложении",
        (MessageChannel::Email, Language::English) => "by e-mail",
        (MessageChannel::Email, Language::Russian) => "по почте",
        (MessageChannel::Telegram, Language::English) => "by Telegram",
        (MessageChannel::Telegram, Language::Russian) => "в Telegram",
    }
}

fn page(language: Language, title: &str, body: &str) -> String {
    let tag = if language == Language::Russian { "ru" } else { "en" };
    format!(
        "<!doctype html>\n<html lang=\"{tag}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta name=\"robots\" content=\"noindex\">\n\
         <title>{title}</title>\n<link rel=\"stylesheet\" href=\"../pages/page.css\">\n</head>\n<body>\n<main>\n\
         <h1>{title}</h1>\n{body}</main>\n</body>\n</html>\n"
    )
}
