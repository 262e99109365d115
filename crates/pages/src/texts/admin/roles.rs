//! Roles, and the words of permissions.

crate::texts::texts! {
    /// Roles: which there are, what one is, and what changes.
    Roles {
        title: "Roles", "Роли";
        permissions: "Permissions", "Права";
        name: "Name", "Название";
        name_hint: "1 to 100 of a-z, 0-9, _, . and -, no dot first. It stays for good.", "От 1 до 100 символов: a-z, 0-9, _, . и -; начинать с точки нельзя. Изменить его потом нельзя.";
        description: "Description", "Описание";
        kind: "Kind", "Вид";
        built_in: "built in", "встроенная";
        managed: "from the configuration", "из конфигурации";
        own: "made here", "создана здесь";
        allowed: "Allows by itself", "Разрешает сама";
        allowed_in_all: "Allows in all", "Разрешает всего";
        includes: "Includes", "Включает";
        includes_hint: "Names of roles, with spaces between them. Everything that they allow is allowed by this one too.",
            "Названия ролей через пробел. Всё, что разрешают они, разрешает и эта.";
        holders: "Who has it", "У кого есть";
        holders_all: "All who have it", "Все, у кого она есть";
        holders_nobody: "Nobody has it by itself.", "Напрямую её нет ни у кого.";
        requestable: "People may ask for it", "Её можно запросить";
        asking: "How people ask for it", "Как её запрашивают";
        approver_roles: "Roles that decide", "Роли, которые решают";
        approver_roles_hint: "Names with spaces between them. Left empty, as the users below: whoever may give the role decides.",
            "Названия через пробел. Если здесь и ниже пусто, решают те, кто может выдать эту роль.";
        approver_users: "Users who decide", "Пользователи, которые решают";
        approver_users_hint: "Ids with spaces between them.", "Идентификаторы через пробел.";
        quorum: "How many must approve", "Сколько одобрений нужно";
        decline_quorum: "How many must decline", "Сколько отказов нужно";
        reason_prompt: "What people are asked with it", "О чём при этом спрашивают";
        reason_prompt_hint: "A reason is required then.", "Тогда причина обязательна.";
        auto_approve: "Given at once", "Выдаётся сразу";
        auto_no: "to nobody", "никому";
        auto_all: "to everybody who asks", "каждому, кто попросит";
        auto_roles: "to holders of these roles", "тем, у кого есть эти роли";
        auto_names: "Roles to which it is given at once", "Роли, которым выдаётся сразу";
        auto_not_yours: "Whether it is given at once is decided by those who may give rights, too.",
            "Выдаётся ли она сразу, решают те, кто может и выдавать права.";
        decide_in_chat: "May be decided in a chat", "Можно решать в чате";
        request_ttl: "A request stays open for", "Запрос открыт";
        span_hint: "A number with s, m, h or d, as in 7d.", "Число с s, m, h или d, например 7d.";
        max_duration: "Given for at most", "Выдаётся не больше чем на";
        max_duration_hint: "A number with s, m, h or d. Empty: for good.", "Число с s, m, h или d. Пусто: бессрочно.";
        span_wrong: "must be a number with s, m, h or d", "нужно число с s, m, h или d";
        number_wrong: "must be a number", "нужно число";
        users_wrong: "must be ids of users", "нужны идентификаторы пользователей";
        others: "Others", "Другие";
        others_hint: "Words with spaces between them. Each must have been registered.", "Слова через пробел. Каждое должно быть зарегистрировано.";
        not_yours: "Greyed out is what you may not do yourself, and so cannot give.", "Серым показано то, чего нельзя вам самим, а значит, нельзя и выдать.";
        make: "Make a role", "Создать роль";
        made: "The role is made.", "Роль создана.";
        change: "Change the role", "Изменить роль";
        changed: "The role is changed. Tokens in use that carry what it allows no longer are dead at once.",
            "Роль изменена. Токены с тем, чего она больше не разрешает, сразу недействительны.";
        look: "Show what changes", "Показать, что изменится";
        difference: "This changes", "Изменится следующее";
        difference_none: "Nothing changes by this. Change something, or leave it.", "Так ничего не изменится. Измените что-нибудь или отмените.";
        difference_at_once: "It counts at once for everybody who has the role, and through roles that include it.",
            "Подействует сразу для всех, у кого есть роль, и через роли, которые её включают.";
        added: "Added", "Добавится";
        taken: "Taken away", "Уберётся";
        before: "Before", "Было";
        after: "After", "Станет";
        yes: "yes", "да";
        no: "no", "нет";
        save: "Save", "Сохранить";
        again: "Go on editing", "Вернуться к правке";
        remove: "Remove the role", "Удалить роль";
        remove_about: "It is gone. A built-in role that was changed is as it was before instead. What somebody has, or another role names, is not removed.",
            "Роль исчезнет; изменённая встроенная вместо этого станет прежней. То, что у кого-то есть или что названо в другой роли, не удаляется.";
        removed: "The role is removed.", "Роль удалена.";
        managed_about: "The configuration declares this role, so it is changed there: `userd roles apply`.",
            "Эта роль объявлена в конфигурации и меняется там: `userd roles apply`.";
        admin_about: "This role may do everything, and nobody changes it.", "Этой роли можно всё, и изменить её нельзя.";
        foreign_about: "It allows what you may not do yourself, so you cannot change it.", "Она разрешает то, чего нельзя вам самим, поэтому изменить её вы не можете.";
        rule_about: "A rule gives this role at once, or one that includes it, so changing it takes the right to give rights, too.",
            "По правилу эту роль или ту, в которую она входит, получают сразу, поэтому для изменения нужно ещё и право выдавать права.";
    }
}

crate::texts::texts! {
    /// The words of permissions.
    Words {
        title: "Permissions", "Права";
        about: "Words that roles and service accounts are made of: this service's own, and those that your services have registered.",
            "Слова, из которых составлены роли и служебные аккаунты: собственные этого сервиса и зарегистрированные вашими сервисами.";
        name: "Word", "Слово";
        name_hint: "1 to 100 of a-z, 0-9, _, . and -, no dot first. Begin with the name of your service, as in billing.invoices.read.",
            "От 1 до 100 символов: a-z, 0-9, _, . и -; начинать с точки нельзя. Начните с названия вашего сервиса, например billing.invoices.read.";
        description: "What it allows", "Что разрешает";
        own: "this service's own", "собственное";
        registered: "registered", "зарегистрировано";
        requestable: "People may ask for it by itself", "Его можно запросить отдельно";
        register: "Register a permission", "Зарегистрировать право";
        register_done: "The permission is registered and can be given.", "Право зарегистрировано, его можно выдавать.";
        remove: "Remove", "Удалить";
        remove_title: "Remove {name}", "Удалить {name}";
        remove_about: "The word can be given no more. One that somebody has, or that a role has, is not removed.",
            "Слово больше нельзя будет выдать. То, что у кого-то есть или входит в роль, не удаляется.";
        removed: "The permission is removed.", "Право удалено.";
    }
}
