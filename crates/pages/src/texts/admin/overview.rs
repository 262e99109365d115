//! The overview, and what is looked at but not changed here: configuration, the doctor's findings, templates.

crate::texts::texts! {
    /// How it goes, at a glance.
    Overview {
        title: "Overview", "Обзор";
        setup_done: "You are the administrator. What is next:", "Вы администратор. Что дальше:";
        next_factor: "Set up a second proof of who you are: an app or a passkey", "Настройте второе подтверждение входа: приложение или ключ доступа";
        next_invitation: "Invite people", "Пригласите людей";
        next_service: "Make an account for a service that asks about tokens", "Заведите аккаунт для сервиса, который проверяет токены";
        sign_ins: "Sign-ins", "Входы";
        registrations: "Registrations", "Регистрации";
        replays: "Stolen sessions that were ended", "Завершённые украденные сеансы";
        blocks: "Accounts blocked", "Заблокированные аккаунты";
        deletions: "Accounts deleted", "Удалённые аккаунты";
        day: "Last 24 hours", "Последние 24 часа";
        month: "Last 30 days", "Последние 30 дней";
        total: "Total", "Всего";
        most_hour: "at most {n} an hour", "не больше {n} в час";
        most_day: "at most {n} a day", "не больше {n} в сутки";
        counted: "Counted from what has happened; attempts that failed are no part of it.", "Посчитано по тому, что произошло; неудавшиеся попытки сюда не входят.";
        parts: "Parts", "Части";
        version: "Version of this replica", "Версия этой реплики";
        reads: "The database reads", "База данных читает";
        writes: "The database writes", "База данных пишет";
        works: "yes", "да";
        fails: "no", "нет";
        facts: "Waiting for the event log", "Ожидание журнала событий";
        deliveries: "The oldest message has been waiting", "Самое старое сообщение ждёт";
        nothing_waits: "nothing waits", "ничего не ждёт";
        seconds: "{n} second|{n} seconds", "{n} секунда|{n} секунды|{n} секунд";
        minutes: "{n} minute|{n} minutes", "{n} минута|{n} минуты|{n} минут";
        hours: "{n} hour|{n} hours", "{n} час|{n} часа|{n} часов";
        days: "{n} day|{n} days", "{n} день|{n} дня|{n} дней";
        dead: "Dead messages", "Неудавшиеся сообщения";
        dead_some: "there are some", "есть";
        dead_none: "none", "нет";
    }
}

crate::texts::texts! {
    /// Configuration, findings, templates.
    System {
        configuration: "Configuration", "Конфигурация";
        configuration_about: "What this replica was started with, secrets masked; the same as `userd config show`. After a reload (SIGHUP) the limits, providers and the log's level may be newer.",
            "То, с чем запущена эта реплика, секреты скрыты; то же, что `userd config show`. После перечитывания (SIGHUP) лимиты, провайдеры и уровень журнала могут быть новее.";
        doctor: "Doctor", "Диагностика";
        doctor_about: "What `userd doctor` finds, as far as it can be looked at while the service runs.", "То, что находит `userd doctor`, насколько это видно во время работы.";
        part: "Part", "Часть";
        state: "State", "Состояние";
        says: "What was found", "Что найдено";
        well: "well", "в порядке";
        warning: "look at it", "обратите внимание";
        wrong: "wrong", "неверно";
        absent: "This process has no way to look.", "Этот процесс не может этого посмотреть.";
        templates: "Templates", "Шаблоны";
        templates_about: "What messages say, with sample values. Nothing is sent.", "Что говорят сообщения, с примерными значениями. Ничего не отправляется.";
        template: "Message", "Сообщение";
        language: "Language", "Язык";
        category: "Category", "Категория";
        subject: "Subject", "Тема";
        as_text: "As plain text", "Обычным текстом";
        as_html: "As a mail shows it", "Как в письме";
        as_chat: "In the messenger", "В мессенджере";
    }
}
