//! Invitations.

crate::texts::texts! {
    /// Made, listed, withdrawn.
    Invitations {
        title: "Invitations", "Приглашения";
        make: "Invite", "Пригласить";
        about: "Whoever follows the link makes an account, with these roles from the beginning. You can give at most what you may do yourself.",
            "Тот, кто перейдёт по ссылке, создаст аккаунт и сразу получит эти роли. Выдать можно не больше того, что можно вам самим.";
        email: "E-mail", "Почта";
        email_hint: "The link goes there. Leave it empty to get a link that you pass on yourself.",
            "Ссылка уйдёт туда. Оставьте пустым, чтобы получить ссылку и передать её самостоятельно.";
        roles: "Roles", "Роли";
        roles_hint: "Names with spaces between them.", "Названия через пробел.";
        uses: "For how many accounts", "На сколько аккаунтов";
        uses_hint: "One where it is empty.", "На один, если пусто.";
        made_at: "Made", "Создано";
        ends: "Ends", "До";
        ends_hint: "Leave it empty for the usual time.", "Оставьте пустым для обычного срока.";
        made: "The invitation is made", "Приглашение создано";
        made_about: "Copy the link now: it is shown this once.", "Скопируйте ссылку сейчас: она показана единственный раз.";
        mailed: "The invitation is on its way.", "Приглашение отправлено.";
        back: "To the invitations", "К приглашениям";
        withdraw: "Withdraw the invitation", "Отозвать приглашение";
        withdraw_about: "The link stops working. Accounts that came of it stay.", "Ссылка перестанет действовать. Созданные по ней аккаунты останутся.";
        withdrawn: "The invitation is withdrawn.", "Приглашение отозвано.";
    }
}
