//! Passkeys, and which way somebody came in by.

super::texts! {
    /// Passkeys.
    Passkeys {
        title: "Passkey", "Ключ доступа";
        sign_in: "Sign in with a passkey", "Войти с ключом доступа";
        use_one: "Use a passkey", "Подтвердить ключом доступа";
        or_code: "Or by a code", "Или кодом";
        recovery_code: "Recovery code", "Код восстановления";
        make_instead: "Or a passkey in place of an app: your device proves that it is you, by a finger, a face or a PIN.",
            "Или ключ доступа вместо приложения: устройство подтвердит, что это вы, — по отпечатку, лицу или PIN-коду.";
        add: "Add a passkey", "Добавить ключ доступа";
        offer: "Sign in without a password next time", "В следующий раз — без пароля";
        about: "With a passkey you sign in as you unlock your device, by a finger, a face or a PIN. Nobody can guess it or talk you out of it.",
            "С ключом доступа вы входите так же, как разблокируете устройство: по отпечатку, лицу или PIN-коду. Его нельзя подобрать или выманить.";
        make: "Make a passkey", "Создать ключ доступа";
        not_now: "Not now", "Не сейчас";
        name: "Name", "Название";
        name_hint: "By which you know it again, for example the device.", "Чтобы потом узнать его: например, по устройству.";
        rename: "Rename", "Переименовать";
        renamed: "Renamed.", "Переименовано.";
        added: "The passkey is added. You can sign in with it from now on.",
            "Ключ доступа добавлен. Теперь можно входить с ним.";
        needs_script: "Passkeys need JavaScript, which is switched off here.",
            "Для ключей доступа нужен JavaScript, а он здесь отключён.";
        not_here: "This browser can use no passkey at this address.",
            "По этому адресу браузер не может использовать ключи доступа.";
        failed: "That did not work, or was called off. Try again.", "Не получилось или было отменено. Попробуйте снова.";
        known: "This device holds a passkey of yours already.", "На этом устройстве уже есть ваш ключ доступа.";
        refused: "This passkey is not accepted here. Choose another one, or another way in.",
            "Этот ключ доступа не принят. Выберите другой или войдите иначе.";
        gone: "That took too long. Begin again.", "Это заняло слишком много времени. Начните снова.";
        last_way: "last used", "последний вход";
    }
}
