//! Service accounts.

crate::texts::texts! {
    /// Which there are, and what is done to one.
    Clients {
        title: "Service accounts", "Служебные аккаунты";
        about: "With one of these a program of yours gets tokens for itself (client_credentials), asks whether tokens are good, and reads feeds.",
            "С таким аккаунтом ваша программа получает токены для себя (client_credentials), проверяет чужие токены и читает ленты.";
        name: "Name", "Название";
        name_hint: "What the program is called, so that its entries in the audit log can be told.", "Как называется программа, чтобы узнавать её записи в журнале аудита.";
        id: "client_id", "Идентификатор (client_id)";
        permissions: "Permissions", "Права";
        audiences: "Audiences", "Получатели токенов";
        audiences_hint: "For whom its tokens may be, with spaces between them: {known}. Left empty: the first.",
            "Для кого могут быть её токены, через пробел: {known}. Если пусто, то первый.";
        prefix: "Only words that begin with", "Только слова, которые начинаются с";
        prefix_hint: "For good: what it registers, gives and asks about begins so, such as billing. with the dot. Left empty: as wide as yours.",
            "Навсегда: всё, что аккаунт регистрирует, выдаёт и проверяет, начинается так, например billing. вместе с точкой. Если пусто — как у вас.";
        change: "Change", "Изменить";
        changed: "The service account is changed. Tokens for an audience that was taken away run out by themselves.",
            "Служебный аккаунт изменён. Токены для убранного получателя закончатся сами.";
        secret_since: "Secret since", "Секрет с";
        state: "State", "Состояние";
        works: "works", "действует";
        disabled: "disabled", "отключён";
        make: "Make a service account", "Создать служебный аккаунт";
        made_done: "The service account is made.", "Служебный аккаунт создан.";
        secret_about: "This is its secret (client_secret). Copy it now: it is shown this once and stored as a hash.",
            "Это его секрет (client_secret). Скопируйте сейчас: он показан единственный раз и хранится только как хеш.";
        rotate: "New secret", "Новый секрет";
        rotate_about: "The secret so far and every token that was got with it are dead at once. The program needs the new one to go on.",
            "Прежний секрет и все полученные с ним токены сразу недействительны. Чтобы продолжить, программе нужен новый.";
        rotated: "The service account has a new secret.", "У служебного аккаунта новый секрет.";
        disable: "Disable", "Отключить";
        disable_about: "Its secret and its tokens are dead at once. Enabled again later, it gets a new secret.",
            "Секрет и токены сразу недействительны. Если позже включить аккаунт снова, у него будет новый секрет.";
        disabled_done: "The service account is disabled.", "Служебный аккаунт отключён.";
        enable: "Enable again", "Включить снова";
        enable_about: "It may do again what it could before, with a new secret. The old secret and its tokens stay dead.",
            "Аккаунт сможет то же, что и раньше, но с новым секретом. Прежний секрет и его токены остаются недействительными.";
        enabled_done: "The service account is enabled.", "Служебный аккаунт снова включён.";
        back: "Back to the service accounts", "К служебным аккаунтам";
    }
}
