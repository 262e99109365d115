//! Signing in, step by step.

super::texts! {
    /// Signing in.
    SignIn {
        title: "Sign in", "Вход";
        login: "E-mail, username or phone", "Почта, имя пользователя или телефон";
        password: "Password", "Пароль";
        submit: "Sign in", "Войти";
        wrong: "The login or the password is wrong. Check both and try again.", "Логин или пароль неверны. Проверьте и то и другое и попробуйте снова.";
        blocked: "This account is blocked. Turn to whoever runs this service.", "Аккаунт заблокирован. Обратитесь к тем, кто обслуживает сервис.";
        too_many: "Too many attempts. Wait a few minutes and try again.", "Слишком много попыток. Подождите несколько минут и попробуйте снова.";
        busy: "Many people are signing in right now. Try again in a moment.", "Сейчас входит много людей. Попробуйте через мгновение.";
        step: "One more step is needed, which these pages do not show yet.", "Нужен ещё один шаг, которого на этих страницах пока нет.";
    }
}
