//! What pages of administration share.

crate::texts::texts! {
    /// Around every page of administration.
    Frame {
        title: "Administration", "Администрирование";
        users: "Users", "Пользователи";
        next_page: "Next page", "Следующая страница";
        first_page: "To the beginning", "К началу";
        nothing: "Nothing is here that fits.", "Здесь ничего подходящего нет.";
        goes_on: "Nothing on this page fits; the search goes on with the next one.", "На этой странице ничего не подошло; поиск продолжается на следующей.";
        filter: "Show", "Показать";
        cancel: "Cancel", "Отмена";
        any: "any", "любой";
        none: "none", "нет";
        zone: "In the time zone {zone}.", "В часовом поясе {zone}.";
        beyond: "Your rights do not suffice for this, or for some of what you filled in. Nothing was changed.",
            "Ваших прав не хватает на это или на часть того, что заполнено. Ничего не изменено.";
        invalid: "Some of what you filled in cannot be taken. Nothing was changed.", "Часть заполненного принять нельзя. Ничего не изменено.";
    }
}
