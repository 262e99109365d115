//! Messages on their way.

crate::texts::texts! {
    /// What waits, what is dead and why.
    Deliveries {
        of_person: "Only those to the account {id}.", "Только для аккаунта {id}.";
        of_webhook: "Only those to the webhook {id}.", "Только к вебхуку {id}.";
        title: "Deliveries", "Доставка";
        pending: "waiting", "ожидают";
        delivered: "delivered", "доставлены";
        dead: "dead", "не доставлены";
        expired: "expired", "истекли";
        dropped: "given up", "прекращены";
        channel: "By", "Чем";
        inbox: "inbox", "входящие";
        email: "e-mail", "почта";
        telegram: "Telegram (bot)", "Telegram (бот)";
        webhook: "webhook", "вебхук";
        to: "To", "Кому";
        attempts: "Attempts", "Попыток";
        fault: "Last fault", "Последняя ошибка";
        made: "Made", "Создано";
        due: "Tried next", "Следующая попытка";
        retry: "Try again", "Повторить";
        retried: "It is tried again now.", "Попытка повторяется.";
        give_up: "Give up", "Прекратить";
        given_up_done: "It is given up.", "Попытки прекращены.";
    }
}
