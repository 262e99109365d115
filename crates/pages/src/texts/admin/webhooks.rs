//! Webhooks.

crate::texts::texts! {
    /// Which there are, and what is done to one.
    Webhooks {
        title: "Webhooks", "Вебхуки";
        about: "Addresses of your services that are called when something happens, signed as Standard Webhooks say.",
            "Адреса ваших сервисов, которые вызываются при событиях; подпись по Standard Webhooks.";
        url: "URL", "Адрес (URL)";
        url_hint: "https://, reachable from here, without user name, password and fragment.",
            "https://, доступный отсюда, без имени пользователя, пароля и фрагмента.";
        events: "Events", "События";
        events_hint: "Types with spaces between them: user.registered, all that begin alike (user.*), or *.",
            "Типы через пробел: user.registered, все с общим началом (user.*) или *.";
        description: "Description", "Описание";
        state: "State", "Состояние";
        on: "called", "вызывается";
        off: "off", "выключен";
        off_by_request: "switched off here", "выключен вручную";
        off_gone: "off: the receiver wants no more", "выключен: получатель отказался";
        off_failing: "off: every call failed for days", "выключен: днями не удавался ни один вызов";
        failing_since: "Every call fails since", "Ни один вызов не удаётся с";
        previous_until: "The secret before signs too until", "Прежний секрет тоже подписывает до";
        made: "Made", "Создан";
        make: "Make a webhook", "Создать вебхук";
        made_done: "The webhook is made. It is called for what happens from now on.", "Вебхук создан. Он вызывается о том, что случится с этого момента.";
        secret_about: "Verify calls with this secret. Copy it now: it is shown this once.", "Проверяйте вызовы этим секретом. Скопируйте сейчас: он показан единственный раз.";
        signature: "Signature", "Подпись";
        signed_by_secret: "By a secret that both know (v1)", "Общим секретом (v1)";
        signed_by_key: "By a key whose public half the receiver gets (v1a)", "Ключом, открытая часть которого есть у получателя (v1a)";
        public_key: "Public key (v1a)", "Открытый ключ (v1a)";
        change: "Change", "Изменить";
        change_title: "Change the webhook", "Изменить вебхук";
        changed: "The webhook is changed.", "Вебхук изменён.";
        test: "Send a test", "Отправить пробный вызов";
        test_taken: "The receiver took the test.", "Получатель принял пробный вызов.";
        test_failed: "The receiver did not take the test: {why}", "Получатель не принял пробный вызов: {why}";
        switch_off: "Switch off", "Выключить";
        switch_on: "Switch on", "Включить";
        switched_off: "The webhook is off.", "Вебхук выключен.";
        switched_on: "The webhook is on.", "Вебхук включён.";
        rotate: "New secret or key", "Новый секрет или ключ";
        rotate_about: "Calls are signed with what signs so far too for 24 hours, so that the receiver can change over.",
            "Ещё 24 часа вызовы подписываются и по-прежнему, чтобы получатель успел перейти.";
        rotated: "The webhook signs with something new.", "Вебхук подписывает по-новому.";
        remove: "Remove", "Удалить";
        remove_title: "Remove the webhook", "Удалить вебхук";
        remove_about: "It is called no more, also not for what waits to be delivered to it.", "Он больше не вызывается, в том числе о том, что ожидает доставки.";
        removed: "The webhook is removed.", "Вебхук удалён.";
        deliveries: "Its deliveries", "Его доставки";
        dead: "Dead", "Неудавшиеся";
        pending: "Waiting", "Ожидающие";
        delivered: "Delivered", "Доставленные";
        back: "Back to the webhook", "К вебхуку";
    }
}
