//! Signing keys.

crate::texts::texts! {
    /// Which there are, and a new one.
    Keys {
        title: "Signing keys", "Ключи подписи";
        kid: "Key", "Ключ";
        algorithm: "Algorithm", "Алгоритм";
        state: "State", "Состояние";
        pending: "published, next", "опубликован, следующий";
        active: "signs", "подписывает";
        retired_state: "verifies only", "только проверяет";
        revoked: "revoked", "отозван";
        made: "Made", "Создан";
        activated: "Signs since", "Подписывает с";
        retired: "Until", "До";
        rotate: "Rotate the keys", "Сменить ключ";
        rotate_about: "The published next key signs from now on. Tokens of the key so far stay good until they expire, so nobody is signed out.",
            "Подписывать начнёт опубликованный следующий ключ. Токены прежнего ключа действуют до своего срока, и входить заново никому не придётся.";
        revoke: "Revoke", "Отозвать";
        revoke_title: "Revoke a key", "Отозвать ключ";
        revoke_about: "For a key that somebody else may have. Nothing that it signed is accepted any more, at once: whoever holds its tokens has to renew them. If it signs, the next key takes over.",
            "Для ключа, который мог попасть к чужим. Всё подписанное им сразу перестаёт приниматься, токены придётся обновить. Если он подписывает, его сменит следующий.";
        revoked_done: "The key is revoked.", "Ключ отозван.";
        rotated: "The next key signs now.", "Теперь подписывает следующий ключ.";
    }
}
