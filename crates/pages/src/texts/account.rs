//! The account of whoever is signed in.

super::texts! {
    /// The account.
    Account {
        overview: "Overview", "Обзор";
        profile: "Profile", "Профиль";
        security: "Security", "Безопасность";
        devices: "Devices", "Устройства";
        linked: "Linked accounts", "Привязанные аккаунты";
        notifications: "Notifications", "Уведомления";
        preferences: "What reaches me", "Что мне присылать";
        access: "Access", "Доступ";
        data: "Your data", "Ваши данные";
        hello: "Hello, {name}", "Здравствуйте, {name}";
        email: "E-mail", "Почта";
        emails: "E-mail addresses", "Адреса почты";
        email_first: "first", "основной";
        email_make_first: "Make it the first", "Сделать основным";
        email_resend: "Send the message again", "Отправить письмо ещё раз";
        email_add: "Add an address", "Добавить адрес";
        email_change: "Another address in its place", "Другой адрес вместо него";
        email_add_hint: "We send a message there. The address is yours once you enter the code from it, or open its link.",
            "Мы отправим туда письмо. Адрес станет вашим, когда вы введёте код из него или откроете ссылку.";
        email_sent: "A message is on its way. Enter the code from it here, or open its link.",
            "Письмо в пути. Введите код из него здесь или откройте ссылку.";
        email_code: "Enter the code", "Ввести код";
        email_code_about: "The message to {email} has a code in it, which is good for ten minutes.",
            "В письме на {email} есть код, он действует десять минут.";
        no_emails: "None yet.", "Пока нет.";
        email_confirmed: "confirmed", "подтверждена";
        email_unconfirmed: "not confirmed yet", "ещё не подтверждена";
        address_unconfirmed: "not confirmed yet", "ещё не подтверждён";
        username: "Username", "Имя пользователя";
        username_hint: "Letters, digits, dots and dashes. What you had before stays reserved for you.",
            "Буквы, цифры, точки и дефисы. Прежнее имя останется закреплённым за вами.";
        phone: "Phone", "Телефон";
        roles: "Roles", "Роли";
        member_since: "Account since", "Аккаунт создан";
        last_sign_in: "Last sign-in", "Последний вход";
        none: "none", "нет";
        name: "Name", "Имя";
        time_zone: "Time zone", "Часовой пояс";
        time_zone_hint: "For example Europe/Moscow. Empty: times are shown in UTC.",
            "Например, Europe/Moscow. Пусто: время показывается по UTC.";
        save: "Save", "Сохранить";
        saved: "Saved.", "Сохранено.";
        unsaved: "There are changes that are not saved.", "Есть несохранённые изменения.";
        prove_title: "Is it still you?", "Это всё ещё вы?";
        prove_about: "What you are about to do matters, so please prove again who you are.",
            "То, что вы собираетесь сделать, важно. Подтвердите ещё раз, что это вы.";
        prove_unsent: "What you sent was not done. Prove who you are, and you are back at its page to send it once more.",
            "Отправленное не выполнено. Подтвердите, что это вы, — и вы вернётесь на ту же страницу, чтобы отправить ещё раз.";
        prove_failed: "That did not prove it. Choose the account there that you sign in to this one with, or prove it otherwise.",
            "Подтвердить не удалось. Выберите там тот аккаунт, через который входите сюда, или подтвердите иначе.";
        prove_elsewhere: "Or by an account that is linked", "Или через привязанный аккаунт";
        prove_code_hint: "If you have an authenticator app set up.", "Если настроено приложение-аутентификатор.";
        prove_both: "Your account asks for more: give the password and the code of your app.",
            "Нужно больше: укажите и пароль, и код из приложения.";
        current_password: "Current password", "Текущий пароль";
        current_password_hint: "Leave it empty if you have none yet.", "Оставьте пустым, если пароля ещё нет.";
        wrong_password: "This is not your current password.", "Это не ваш текущий пароль.";
        change_password: "Change the password", "Сменить пароль";
        password_changed: "The password is changed. Your other devices are signed out.",
            "Пароль изменён. На других устройствах сеансы завершены.";
        factors: "Second proof at sign-in", "Второе подтверждение при входе";
        no_factors: "There is none yet. With an authenticator app nobody gets in by your password alone.",
            "Его пока нет. С приложением-аутентификатором никто не войдёт, зная только пароль.";
        app: "Authenticator app", "Приложение-аутентификатор";
        add_app: "Set up an authenticator app", "Настроить приложение-аутентификатор";
        added: "added", "добавлено";
        scan: "Scan the picture with the app, then enter the code that it shows.",
            "Отсканируйте картинку приложением и введите код, который оно покажет.";
        remove: "Remove", "Удалить";
        factor_removed: "Removed.", "Удалено.";
        new_codes: "New recovery codes", "Новые коды восстановления";
        codes_left: "{n} code left|{n} codes left", "остался {n} код|осталось {n} кода|осталось {n} кодов";
        signed_in_on: "You are signed in on", "Где вы вошли";
        this_device: "this one", "это устройство";
        unknown_device: "Unknown device", "Неизвестное устройство";
        last_seen: "last seen", "последний раз";
        end_device: "Sign out there", "Завершить сеанс";
        end_others: "Sign out everywhere else", "Выйти на всех других устройствах";
        device_ended: "Signed out there.", "Сеанс завершён.";
        no_linked: "None yet. Link one, and you can sign in with it.", "Пока нет. Привяжите аккаунт, и сможете входить через него.";
        link_more: "Link another account", "Привязать ещё один";
        link_with: "Link {provider}", "Привязать {provider}";
        link_next: "At {provider}, choose the account that shall open this one. It is linked as soon as you are back: if {provider} knows this browser as somebody else, sign out there first.",
            "Выберите в {provider} аккаунт, который будет открывать этот. Он привяжется, как только вы вернётесь: если {provider} знает этот браузер под чужим именем, сначала выйдите там.";
        no_providers: "None is offered here.", "Здесь ничего не предлагается.";
        linked_now: "Linked. You can sign in with it from now on.", "Привязано. Теперь через него можно входить.";
        unlinked_now: "It is no longer linked.", "Больше не привязан.";
        not_unlinked: "It is still linked.", "Аккаунт остался привязан.";
        not_linked: "It was not linked.", "Привязать не удалось.";
        link_failed: "It was not linked. Try again, or choose another account.",
            "Привязать не удалось. Попробуйте снова или выберите другой аккаунт.";
        link_cancelled: "It was not linked, because it was not allowed there. Try again if that was a mistake.",
            "Привязать не удалось: на той стороне не дали разрешения. Попробуйте снова, если это вышло случайно.";
        link_taken: "It was not linked, because it opens another account here. If that one is yours too, move it here; otherwise choose another.",
            "Привязать не удалось: через него уже входят в другой аккаунт на этом сайте. Если тот аккаунт тоже ваш, перенесите привязку сюда; иначе выберите другой.";
        move_title: "Move it here", "Перенести сюда";
        move_about: "Sign in with {provider} once more, to show that the other account is yours too. From then on {provider} opens this account, and the other one no longer.",
            "Войдите через {provider} ещё раз — это покажет, что другой аккаунт тоже ваш. После этого {provider} будет открывать этот аккаунт, а другой — уже нет.";
        move_delete_emptied: "Delete the other account, if nothing else is left to sign in to it by. It can be restored for a while.",
            "Удалить другой аккаунт, если войти в него больше нечем. Некоторое время его можно будет вернуть.";
        move_begin: "Go on", "Продолжить";
        move_next: "At {provider}, choose the account that you want to move. It moves as soon as you are back. The other account stays, and has to have another way to sign in.",
            "Выберите в {provider} аккаунт, который хотите перенести. Он перейдёт сюда, как только вы вернётесь. Другой аккаунт останется, и в него должен быть ещё один способ войти.";
        move_next_deletes: "At {provider}, choose the account that you want to move. It moves as soon as you are back, and the other account is deleted, if nothing else is left to sign in to it by.",
            "Выберите в {provider} аккаунт, который хотите перенести. Он перейдёт сюда, как только вы вернётесь, а другой аккаунт удалится, если войти в него больше нечем.";
        moved_now: "Moved. It opens this account from now on.", "Перенесено. Теперь через него входят в этот аккаунт.";
        not_moved: "It was not moved.", "Перенести не удалось.";
        move_failed: "It was not moved. Begin once more by linking it.", "Перенести не удалось. Начните ещё раз с привязки.";
        move_last_way: "It was not moved, because it is the last way to sign in to the other account. Set a password there first, or let that account be deleted. One that holds a role or a permission is never deleted so.",
            "Перенести не удалось: это последний способ входа в другой аккаунт. Сначала задайте там пароль или разрешите тот аккаунт удалить. Аккаунт с ролью или правом так не удаляется.";
        move_has_factor: "It was not moved, because the other account asks for a second proof. Sign in there, unlink it, and link it here.",
            "Перенести не удалось: другой аккаунт требует второго подтверждения. Войдите туда, отвяжите его и привяжите здесь.";
        last_used: "last used", "последний вход через него";
        no_notifications: "Nothing here. What concerns you will appear on this page.",
            "Здесь пусто. Всё, что вас касается, появится на этой странице.";
        inbox_news: "Something new has come.", "Пришло что-то новое.";
        unread: "new", "новое";
        read_all: "Mark all as read", "Отметить всё прочитанным";
        archive: "Put away", "Убрать";
        open: "Open", "Открыть";
        what_reaches: "What reaches you, and how", "Что и как вам присылать";
        category: "About", "О чём";
        category_security: "Safety of the account", "Безопасность аккаунта";
        category_account: "Your account", "Ваш аккаунт";
        category_administration: "Running the service", "Работа сервиса";
        category_message: "Other messages", "Прочие сообщения";
        channel_inbox: "Here", "Здесь";
        channel_email: "E-mail", "Почта";
        channel_telegram: "In Telegram", "В Telegram";
        quiet_hours: "Quiet hours", "Тихие часы";
        quiet_about: "Messages wait until they are over. What concerns your safety does not.",
            "Сообщения подождут до их конца. Всё, что касается безопасности, придёт сразу.";
        quiet_from: "From", "С";
        quiet_to: "to", "до";
        held: "What you have", "Что у вас есть";
        nothing_held: "No roles or permissions.", "Ролей и прав нет.";
        until: "until", "до";
        without_end: "without end", "бессрочно";
        renew: "Ask to extend it", "Попросить продлить";
        still_needed: "Still needed", "Всё ещё нужно";
        ask_for_access: "Ask for access", "Запросить доступ";
        nothing_to_ask: "There is nothing to ask for.", "Запрашивать нечего.";
        what: "What you need", "Что нужно";
        reason: "What for", "Для чего";
        reason_hint: "Whoever decides reads this.", "Это прочитает тот, кто принимает решение.";
        at_most: "at most {n} day|at most {n} days", "не дольше {n} дня|не дольше {n} дней|не дольше {n} дней";
        for_days: "For how many days", "На сколько дней";
        for_days_hint: "Empty: as long as it is allowed.", "Пусто: на сколько разрешено.";
        starts_at: "From when on", "С какого времени";
        starts_at_hint: "Empty: as soon as it is decided.", "Пусто: сразу после решения.";
        ask: "Send the request", "Отправить запрос";
        ask_for_removal: "Ask to be rid of something", "Отказаться от прав";
        what_to_remove: "What you need no more", "Что больше не нужно";
        removal: "removal", "отказ";
        begins: "from", "с";
        asked: "The request is sent. You are told when it is decided.", "Запрос отправлен. О решении вы узнаете из сообщения.";
        held_already: "You have this already, for as long as it lasts.", "У вас это уже есть — до конца срока.";
        asked_already: "You have asked for this already, and it is not decided yet.",
            "Вы уже это запрашивали, и решения ещё нет.";
        my_requests: "My requests", "Мои запросы";
        no_requests: "None yet.", "Пока нет.";
        withdraw: "Withdraw", "Отозвать";
        state_open: "waiting", "ожидает";
        state_approved: "approved", "одобрен";
        state_declined: "declined", "отклонён";
        state_withdrawn: "withdrawn", "отозван";
        state_expired: "expired", "истёк";
        export: "Download a copy", "Скачать копию";
        export_about: "Everything that is held about you, as one file.", "Всё, что о вас хранится, одним файлом.";
        delete: "Delete the account", "Удалить аккаунт";
        delete_about: "You are signed out everywhere. For a while you can sign in and have it back; after that it is erased for good.",
            "Сеансы завершатся везде. Некоторое время можно войти и вернуть аккаунт; потом он будет стёрт навсегда.";
    }
}
