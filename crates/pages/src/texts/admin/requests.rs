//! Access requests.

crate::texts::texts! {
    /// The queue, one request, and its decision.
    Requests {
        title: "Access requests", "Запросы доступа";
        what: "What is asked for", "Что запрошено";
        who: "Who", "Кто";
        reason: "Reason", "Причина";
        made: "Asked", "Запрошено";
        open_until: "Open until", "Открыт до";
        grant_role: "To be given the role {name}", "Получить роль {name}";
        grant_permission: "To be given the permission {name}", "Получить право {name}";
        revoke_role: "To be rid of the role {name}", "Отказаться от роли {name}";
        revoke_permission: "To be rid of the permission {name}", "Отказаться от права {name}";
        account: "To have an account", "Получить аккаунт";
        state: "State", "Состояние";
        open: "open", "открыт";
        approved: "approved", "одобрен";
        declined: "declined", "отклонён";
        withdrawn: "withdrawn", "отозван";
        expired: "expired", "истёк";
        lasts: "For how long", "На сколько";
        starts: "From", "Начиная с";
        days: "{n} day|{n} days", "{n} день|{n} дня|{n} дней";
        hours: "{n} hour|{n} hours", "{n} час|{n} часа|{n} часов";
        minutes: "{n} minute|{n} minutes", "{n} минута|{n} минуты|{n} минут";
        decisions: "Decisions", "Решения";
        decision: "Decision", "Решение";
        by: "By", "Кем";
        by_rule: "by rule", "по правилу";
        comment: "Comment", "Комментарий";
        comment_hint: "The requester and other approvers read it.", "Его прочтут запросивший и другие согласующие.";
        at: "When", "Когда";
        ends: "Ends", "До";
        ends_hint: "What is given ends then at the latest. Leave it empty for the time that was asked for.",
            "Выданное закончится не позже. Оставьте пустым, чтобы выдать на запрошенное время.";
        decide: "Decide", "Решить";
        about_grant: "Approving gives it once enough approvers have; declining closes the request. The requester is told either way.",
            "Одобрение выдаст запрошенное, когда согласятся достаточно согласующих; отклонение закроет запрос. Запросивший узнает о решении.";
        about_revoke: "Approving takes it away at once when enough approvers have; declining leaves everything as it is.",
            "Одобрение сразу отзовёт это, когда согласятся достаточно согласующих; отклонение оставит всё как есть.";
        about_account: "Approving lets the person sign in; declining blocks the account. The person is told either way.",
            "Одобрение позволит человеку войти; отклонение заблокирует аккаунт. Человек узнает о решении.";
        approve: "Approve", "Одобрить";
        decline: "Decline", "Отклонить";
        done: "Your decision counts.", "Ваше решение учтено.";
    }
}
