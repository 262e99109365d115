//! The account of whoever is signed in.

super::texts! {
    /// The account.
    Account {
        overview: "Overview", "Обзор";
        hello: "Hello, {name}", "Здравствуйте, {name}";
        email: "E-mail", "Почта";
        email_confirmed: "confirmed", "подтверждена";
        email_unconfirmed: "not confirmed yet", "ещё не подтверждена";
        username: "Username", "Имя пользователя";
        phone: "Phone", "Телефон";
        roles: "Roles", "Роли";
        member_since: "Account since", "Аккаунт создан";
        last_sign_in: "Last sign-in", "Последний вход";
        none: "none", "нет";
    }
}
