//! The audit log.

crate::texts::texts! {
    /// Entries, and whether they are as they were.
    AuditLog {
        title: "Audit log", "Журнал аудита";
        at: "When", "Когда";
        act: "What happened", "Что произошло";
        actor: "Who acted", "Кто действовал";
        subject: "To whom or what", "С кем или с чем";
        order: "Order", "Порядок";
        newest: "the newest first", "сначала новые";
        oldest: "the oldest first", "сначала старые";
        more: "More", "Подробнее";
        show: "show", "показать";
        position: "Place in the log", "Место в журнале";
        data: "Data", "Данные";
        before: "Before", "Было";
        after: "After", "Стало";
        address: "Address", "Адрес";
        browser: "Browser", "Браузер";
        request: "Request", "Запрос";
        export: "Download", "Скачать";
        export_about: "Every entry that fits the filters, the oldest first, as JSON Lines.", "Все записи под эти фильтры, начиная со старых, в виде JSON Lines.";
        verify: "Verify the log", "Проверить журнал";
        verify_about: "Compares the newest entries with their hashes, and the tree over all with the checkpoints that were signed. Nothing is changed.",
            "Сверит новейшие записи с их хешами, а дерево над всеми записями с подписанными контрольными точками. Ничего не изменит.";
        intact: "Everything that was compared is as it was.", "Всё, что сверено, осталось неизменным.";
        damaged: "The log is not as it was, from entry {position} on: {what}. Keep the database as it is and tell whoever runs this service.",
            "Журнал изменён, начиная с записи {position}: {what}. Не трогайте базу данных и сообщите тем, кто обслуживает сервис.";
        size: "Entries in the log", "Записей в журнале";
        compared: "Entries compared", "Записей сверено";
        checkpoints: "Checkpoints compared", "Контрольных точек сверено";
        back: "Back to the log", "К журналу";
    }
}
