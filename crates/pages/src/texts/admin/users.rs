//! Accounts: finding them, what is known of them, and what can be done to them.

crate::texts::texts! {
    /// The list, and one account.
    Users {
        query: "Search", "Поиск";
        query_hint: "A whole e-mail address, phone number or id, or how a username or name begins.",
            "Адрес почты, телефон или идентификатор целиком либо начало имени пользователя или имени.";
        status: "Status", "Статус";
        role: "Role", "Роль";
        provider: "Sign-in by", "Вход через";
        created_after: "Made after", "Создан после";
        name: "Name", "Имя";
        email: "E-mail", "Почта";
        email_confirmed: "confirmed", "подтверждена";
        email_unconfirmed: "not confirmed", "не подтверждена";
        username: "Username", "Имя пользователя";
        phone: "Phone", "Телефон";
        created: "Account since", "Аккаунт создан";
        last_sign_in: "Last sign-in", "Последний вход";
        never: "never", "никогда";
        id: "Id", "Идентификатор";
        active: "active", "активен";
        blocked: "blocked", "заблокирован";
        deleted: "deleted", "удалён";
        blocked_until: "Blocked until", "Заблокирован до";
        block_reason: "Reason of the block", "Причина блокировки";
        sessions: "Sessions", "Сеансы";
        sessions_count: "{n} session|{n} sessions", "{n} сеанс|{n} сеанса|{n} сеансов";
        device: "Device", "Устройство";
        unknown_device: "unknown device", "неизвестное устройство";
        address: "Address", "Адрес";
        last_seen: "Last seen", "Последняя активность";
        identities: "Linked accounts", "Привязанные аккаунты";
        linked: "Linked", "Привязан";
        make: "Make an account", "Создать аккаунт";
        make_about: "An e-mail address or a username is needed. The account has no password: its owner sets one by the address, or comes in through a provider that proves it.",
            "Нужен адрес почты или имя пользователя. Пароля у аккаунта нет: владелец задаст его через свою почту или войдёт через сервис, который её подтверждает.";
        made: "The account is made.", "Аккаунт создан.";
        change: "Change the profile", "Изменить профиль";
        acts: "What can be done", "Что можно сделать";
    }
}

crate::texts::texts! {
    /// What is done to an account: its name, what will happen, what is said when it has.
    Acts {
        reason: "Reason", "Причина";
        reason_hint: "Administrators see it, and whoever is blocked is told it.", "Её видят администраторы, и её сообщат тому, кого блокируют.";
        until: "Until", "До";
        until_hint: "Leave it empty to block for good.", "Оставьте пустым, чтобы заблокировать бессрочно.";
        block: "Block", "Заблокировать";
        block_about: "Every session ends at once, tokens stop working, and nobody can sign in to the account until it is unblocked. The owner is told.",
            "Все сеансы завершатся сразу, токены перестанут действовать, и войти в аккаунт будет нельзя, пока его не разблокируют. Владелец узнает об этом.";
        block_done: "The account is blocked.", "Аккаунт заблокирован.";
        unblock: "Unblock", "Разблокировать";
        unblock_about: "The owner can sign in again. Sessions of before stay ended.", "Владелец снова сможет войти. Прежние сеансы останутся завершёнными.";
        unblock_done: "The account is unblocked.", "Аккаунт разблокирован.";
        sign_out: "Sign out everywhere", "Завершить все сеансы";
        sign_out_about: "Every session ends at once and tokens stop working. The owner can sign in again.",
            "Все сеансы завершатся сразу, токены перестанут действовать. Владелец сможет войти снова.";
        sign_out_done: "Every session has ended.", "Все сеансы завершены.";
        require_password: "Require a new password", "Потребовать новый пароль";
        require_password_about: "Every session ends. At the next sign-in by the password so far a new one is demanded.",
            "Все сеансы завершатся. При следующем входе с прежним паролем потребуется задать новый.";
        require_password_done: "A new password is demanded at the next sign-in.", "При следующем входе потребуется новый пароль.";
        send_reset: "Send a link for a new password", "Отправить ссылку для нового пароля";
        send_reset_about: "A message with a link goes to the account's address. The password so far works until the link is used.",
            "На адрес аккаунта уйдёт сообщение со ссылкой. До её использования действует прежний пароль.";
        send_reset_done: "The link is on its way.", "Ссылка отправлена.";
        reset_factors: "Remove second factors", "Удалить вторые факторы";
        reset_factors_about: "For somebody who has lost them: all second factors are removed and every session ends. Be sure who asks for it.",
            "Для того, кто их утратил: все вторые факторы удалятся, все сеансы завершатся. Убедитесь, кто об этом просит.";
        reset_factors_done: "The second factors are removed.", "Вторые факторы удалены.";
        delete: "Delete the account", "Удалить аккаунт";
        delete_about: "Every session ends and nobody can sign in. For a while an administrator can restore the account; then its data are erased for good.",
            "Все сеансы завершатся, войти будет нельзя. Некоторое время администратор может восстановить аккаунт, затем его данные сотрутся безвозвратно.";
        delete_done: "The account is deleted.", "Аккаунт удалён.";
        restore: "Restore the account", "Восстановить аккаунт";
        restore_about: "The account is as it was, and its owner can sign in again.", "Аккаунт станет таким, каким был, и его владелец снова сможет войти.";
        restore_done: "The account is restored.", "Аккаунт восстановлен.";
        purge: "Erase for good", "Стереть безвозвратно";
        purge_about: "Everything that is held about the account is erased now. Nobody can undo this.",
            "Всё, что хранится об аккаунте, сотрётся сейчас же. Отменить это не сможет никто.";
        hold: "Forbid to erase", "Запретить стирание";
        hold_about: "For a legal obligation: whatever its owner or a deadline says, the account's data are kept until this is lifted.",
            "По требованию закона: что бы ни решил владелец и какой бы ни был срок, данные аккаунта хранятся, пока запрет не снят.";
        hold_done: "The account may not be erased.", "Стирать аккаунт запрещено.";
        lift_hold: "Allow to erase again", "Снять запрет стирания";
        lift_hold_about: "The account may be erased again: at once, if its time is over.", "Аккаунт снова можно стереть, и если срок вышел, это произойдёт сразу.";
        lift_hold_done: "The account may be erased again.", "Аккаунт снова можно стереть.";
        held: "May not be erased", "Стирание запрещено";
        unlink: "Unlink", "Отвязать";
        unlink_title: "Unlink {provider}", "Отвязать {provider}";
        unlink_about: "{who} cannot sign in with it any more, and its sessions end. The last way in is not unlinked: block the account instead.",
            "{who} больше не сможет так входить, начатые так сеансы завершатся. Последний способ входа не отвязывается: вместо этого заблокируйте аккаунт.";
        unlink_done: "It is unlinked.", "Отвязано.";
        purge_done: "The account is erased.", "Аккаунт стёрт.";
    }
}

crate::texts::texts! {
    /// Roles and permissions that an account holds.
    Grants {
        title: "Roles and permissions", "Роли и права";
        what: "What", "Что";
        kind: "Kind", "Вид";
        role: "role", "роль";
        permission: "permission", "право";
        name: "Name", "Название";
        source: "Given", "Выдано";
        direct: "directly", "напрямую";
        request: "by request", "по запросу";
        config: "by the configuration", "конфигурацией";
        by: "By", "Кем";
        reason: "Reason", "Причина";
        reason_hint: "Administrators see it, and whoever holds it.", "Её видят администраторы и тот, кому выдано.";
        since: "Since", "С";
        ends: "Ends", "До";
        ends_hint: "Leave it empty to give it for good.", "Оставьте пустым, чтобы выдать бессрочно.";
        for_good: "never", "бессрочно";
        give: "Give a role or permission", "Выдать роль или право";
        give_about: "It works with the next token of {who}. You can give at most what you may do yourself.",
            "Подействует со следующим токеном пользователя {who}. Выдать можно не больше того, что можно вам самим.";
        given: "It is given.", "Выдано.";
        take: "Take away", "Отозвать";
        take_title: "Take {name} away", "Отозвать {name}";
        take_about: "{who} loses it at once: tokens in use stop carrying it.", "Пользователь {who} лишится этого сразу: действующие токены перестанут это содержать.";
        taken: "It is taken away.", "Отозвано.";
    }
}
