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
            "Подписывать начнёт опубликованный следующий ключ. Токены прежнего ключа действуют до своего срока, никого не разлогинит.";
        rotated: "The next key signs now.", "Теперь подписывает следующий ключ.";
    }
}
