//! What stands on every page, and what is said when something goes wrong.

super::texts! {
    /// On every page.
    Common {
        language_name: "English", "Русский";
        language: "Language", "Язык";
        back_to: "Back to {app}", "Вернуться: {app}";
        skip: "Skip to the content", "К содержанию";
        menu: "Main menu", "Главное меню";
        sections: "Sections", "Разделы";
        my_account: "My account", "Мой аккаунт";
        sign_out: "Sign out", "Выйти";
        form_gone_title: "This form is out of date", "Форма устарела";
        form_gone: "You have signed in or out since it was opened, or cookies are switched off. Open the page anew and send the form once more. Nothing was changed.",
            "С тех пор как она была открыта, вы вошли или вышли, либо cookie отключены. Откройте страницу заново и отправьте форму ещё раз. Ничего не изменено.";
        form_anew: "Open the page anew", "Открыть страницу заново";
        changed_elsewhere: "This was changed in another window meanwhile. What you filled in is kept here: look it through and send it once more to have it so.",
            "Тем временем это изменили в другом окне. Введённое вами осталось здесь: проверьте и отправьте ещё раз, чтобы стало так.";
    }
}

super::texts! {
    /// Pages of problems.
    Problems {
        back: "Go to the start page", "На главную";
        request: "Request", "Запрос";
        not_found_title: "There is no such page", "Такой страницы нет";
        not_found: "The address may be mistyped, or what was here is gone. You may also lack the right to see it.",
            "Возможно, в адресе опечатка, или того, что здесь было, больше нет. Может также не хватать права это видеть.";
        forbidden_title: "You may not do this", "На это нет права";
        forbidden: "Your account lacks the right. Ask for it under “Access” in your account, or ask your administrator.",
            "У вашего аккаунта нет нужного права. Запросите его в разделе «Доступ» или обратитесь к администратору.";
        cross_site_title: "This came from another site", "Запрос пришёл с другого сайта";
        cross_site: "Nothing was changed. Open the page here and try again.",
            "Ничего не изменено. Откройте страницу здесь и попробуйте снова.";
        too_many_title: "Too many attempts", "Слишком много попыток";
        too_many: "Wait a few minutes and try again. Your account is not blocked.",
            "Подождите несколько минут и попробуйте снова. Ваш аккаунт не заблокирован.";
        internal_title: "Something broke on our side", "Что-то сломалось у нас";
        internal: "It is noted. Try again; if it goes on, name the request below to whoever runs this service.",
            "Это записано. Попробуйте ещё раз; если не помогло, назовите номер запроса тем, кто обслуживает сервис.";
        unavailable_title: "Busy for a moment", "Сервис ненадолго занят";
        unavailable: "Try again in a few seconds. Nothing was lost.", "Попробуйте через несколько секунд. Ничего не потеряно.";
        otherwise: "Go back and try again. If it goes on, name the request below to whoever runs this service.",
            "Вернитесь и попробуйте снова. Если не помогло, назовите номер запроса тем, кто обслуживает сервис.";
    }
}
