//! Signing in, step by step; a new account; links in messages.

super::texts! {
    /// Signing in.
    SignIn {
        title: "Sign in", "Вход";
        login: "E-mail, username or phone", "Почта, имя пользователя или телефон";
        password: "Password", "Пароль";
        submit: "Sign in", "Войти";
        forgot: "Forgot your password?", "Забыли пароль?";
        no_account: "No account yet?", "Ещё нет аккаунта?";
        have_account: "Already have an account?", "Уже есть аккаунт?";
        register: "Create one", "Создать";
        other_ways: "Other ways to sign in", "Другие способы входа";
        other_ways_to_an_account: "Other ways to an account", "Другие способы создать аккаунт";
        with: "Continue with {provider}", "Продолжить через {provider}";
        with_bot: "Sign in with the Telegram bot", "Войти через бота в Telegram";
        with_code: "Send me a code by e-mail", "Прислать код на почту";
        wrong: "The login or the password is wrong. Check both and try again.",
            "Логин или пароль неверны. Проверьте и то и другое и попробуйте снова.";
        wrong_code: "This code is wrong, or was used already. Take the newest one and try again.",
            "Код неверен или уже использован. Возьмите самый новый и попробуйте снова.";
        blocked: "This account is blocked. Turn to whoever runs this service.",
            "Аккаунт заблокирован. Обратитесь к тем, кто обслуживает сервис.";
        too_many: "Too many attempts. Wait a few minutes and try again.",
            "Слишком много попыток. Подождите несколько минут и попробуйте снова.";
        busy: "Many people are signing in right now. Try again in a moment.",
            "Сейчас входит много людей. Попробуйте через мгновение.";
        email_taken: "There is an account with this address. Sign in, or set a new password.",
            "Аккаунт с этим адресом уже есть. Войдите или задайте новый пароль.";
        username_taken: "This username is taken. Choose another one.", "Это имя пользователя занято. Выберите другое.";
        invitation_gone: "This invitation is not good any more. Ask for a new one.",
            "Приглашение больше не действует. Попросите новое.";
        look_at_fields: "Something is not right yet. Look at the marked fields.",
            "Кое-что ещё не так. Посмотрите на отмеченные поля.";
        step_gone: "That took too long, or was done already. Sign in again.",
            "Это заняло слишком много времени или уже сделано. Войдите снова.";
        form_unsent: "You are signed out, so what you sent was not done. Sign in, and you are back at its page.",
            "Вы вышли из аккаунта, поэтому отправленное не выполнено. Войдите — и вы вернётесь на ту же страницу.";
        provider_failed: "Not signed in.", "Вход не выполнен.";
        provider_no_reason: "The other service did not say why", "Другой сервис не сообщил почему";
        unknown_app_title: "This application is not known here", "Это приложение здесь неизвестно";
        unknown_app: "It sent you here, but its address is not among those that a sign-in may lead to, or it sent no proof key. Whoever runs it has to put that right.",
            "Оно отправило вас сюда, но его адреса нет среди тех, куда можно вернуть после входа, или оно не прислало ключ подтверждения. Исправить это могут те, кто его обслуживает.";
        go_on: "Continue", "Продолжить";
        start_again: "Start again", "Начать сначала";
        second_title: "One more proof", "Ещё одно подтверждение";
        second_about: "Enter the code that your authenticator app shows now. Without it, use one of your recovery codes.",
            "Введите код, который сейчас показывает приложение-аутентификатор. Если его нет, подойдёт код восстановления.";
        second_code: "Code of the app, or recovery code", "Код из приложения или код восстановления";
        setup_factor_title: "Set up an authenticator app", "Настройте приложение-аутентификатор";
        setup_factor_about: "Your role asks for a second proof at each sign-in. Scan the picture with an authenticator app and enter the code it shows.",
            "Ваша роль требует второго подтверждения при каждом входе. Отсканируйте картинку приложением-аутентификатором и введите код, который оно покажет.";
        first_code: "Code that the app shows", "Код из приложения";
        other_secret: "The key of before is over: too much time has passed, too many codes were wrong, or another key was begun since. Remove it from the app and scan this new picture.",
            "Прежний ключ больше не действует: прошло слишком много времени, было слишком много неверных кодов или позже создан другой ключ. Удалите его из приложения и отсканируйте эту новую картинку.";
        qr: "Picture to scan with an authenticator app", "Картинка для приложения-аутентификатора";
        secret: "Or type this key into the app:", "Или введите в приложение этот ключ:";
        recovery_title: "Your recovery codes", "Коды восстановления";
        recovery_about: "Each stands for the app once, when it is lost. They are shown this one time: print them or write them down, and keep them apart from your phone.",
            "Каждый один раз заменяет приложение, если оно потеряно. Они показаны только сейчас: распечатайте или запишите их и храните отдельно от телефона.";
        recovery_kept: "I have kept them", "Сохранено, продолжить";
        print: "Print", "Распечатать";
        copy: "Copy", "Скопировать";
        copied: "Copied", "Скопировано";
        new_password_title: "Choose a new password", "Задайте новый пароль";
        new_password_about: "A new password is asked for before you go on.", "Прежде чем продолжить, нужен новый пароль.";
        new_password: "New password", "Новый пароль";
        password_hint: "At least {n} characters. A few words that nobody would guess are good.",
            "Не меньше {n} символов. Хороши несколько слов, которых никто не угадает.";
        terms_title: "Please read and accept", "Прочтите и примите";
        terms_about: "These documents are new or have changed.", "Эти документы появились или изменились.";
        accept: "I accept", "Принимаю:";
        accept_wanted: "This one has to be accepted.", "Этот документ нужно принять.";
        confirm_title: "Confirm your address", "Подтвердите адрес";
        confirm_about: "We have sent a message with a code to {email}. Enter the code here, or open the link in the message.",
            "Мы отправили письмо с кодом на {email}. Введите код здесь или откройте ссылку из письма.";
        mail_sent_again: "Another message is on its way. The code in the one before is good for nothing any more.",
            "Новое письмо в пути. Код из прежнего больше не действует.";
        mail_code: "Code from the message", "Код из письма";
        approval_title: "Waiting for approval", "Ждём одобрения";
        approval_about: "An administrator has to approve your account first. You will get a message.",
            "Сначала аккаунт должен одобрить администратор. Вы получите сообщение.";
        restore_title: "Have your account back", "Вернуть аккаунт";
        restore_about: "This account was deleted, and can still be restored with everything in it.",
            "Этот аккаунт удалён, но его ещё можно восстановить со всем, что в нём есть.";
        restore_submit: "Restore it", "Восстановить";
        restore_needs_factor: "This account has a second factor. Sign in with it, and you are offered the account back.",
            "У этого аккаунта есть второй фактор. Войдите с ним — и вам предложат вернуть аккаунт.";
        restored: "Your account is back. Sign in to use it.", "Аккаунт восстановлен. Войдите, чтобы им пользоваться.";
        deleted: "Your account is deleted. Sign in within the time that the message names to have it back.",
            "Аккаунт удалён. Чтобы вернуть его, войдите до срока, указанного в сообщении.";
        register_title: "Create an account", "Новый аккаунт";
        register_submit: "Create the account", "Создать аккаунт";
        registration_closed: "Nobody can register here by themselves. Ask whoever runs this service.",
            "Самостоятельной регистрации здесь нет. Обратитесь к тем, кто обслуживает сервис.";
        registration_invited: "You need an invitation to register here. Open the link in it.",
            "Для регистрации нужно приглашение. Откройте ссылку из него.";
        email: "E-mail", "Почта";
        email_wanted: "Give your e-mail address.", "Укажите адрес почты.";
        login_wanted: "Say which account it is.", "Укажите, какой это аккаунт.";
        display_name: "Your name (if you like)", "Ваше имя (по желанию)";
        username: "Username", "Имя пользователя";
        forgot_title: "Forgotten password", "Забытый пароль";
        forgot_about: "Say which account it is, and we send a link to its address.",
            "Назовите аккаунт, и мы отправим ссылку на его адрес.";
        forgot_submit: "Send the link", "Отправить ссылку";
        sent_title: "Look into your mail", "Проверьте почту";
        sent_about: "If there is such an account, a message with a link is on its way. The link is good for an hour. Nothing there? Look into the spam folder, or try again.",
            "Если такой аккаунт есть, письмо со ссылкой уже в пути. Ссылка действует час. Ничего нет? Загляните в спам или попробуйте снова.";
        reset_about: "Every device is signed out, and you sign in with the new password.",
            "Сеансы на всех устройствах завершатся, и вы войдёте с новым паролем.";
        reset_submit: "Set the password", "Задать пароль";
        reset_done: "The password is set. Sign in with it.", "Пароль задан. Войдите с ним.";
        confirm_link_about: "Confirm that you read mail at this address.", "Подтвердите, что читаете почту по этому адресу.";
        confirm_submit: "Confirm", "Подтвердить";
        confirmed: "The address is confirmed.", "Адрес подтверждён.";
        invitation_title: "You are invited", "Вас пригласили";
        invitation_about: "Choose a password, and you have an account with the address that this message went to.",
            "Задайте пароль — и у вас будет аккаунт с адресом, на который пришло это письмо.";
        invitation_submit: "Accept the invitation", "Принять приглашение";
        invited: "You have an account now. Sign in with your address and the password.",
            "Теперь у вас есть аккаунт. Войдите со своим адресом и паролем.";
        unsubscribe_title: "Fewer messages", "Меньше сообщений";
        unsubscribe_about: "No more messages of this kind?", "Больше не присылать такие сообщения?";
        unsubscribe_submit: "Unsubscribe", "Отписаться";
        unsubscribe_done: "You get no more of them. Your account's settings switch them on again.",
            "Их больше не будет. Включить их снова можно в настройках аккаунта.";
        not_me_title: "This was not me", "Это был не я";
        not_me_about: "Somebody else may be in your account. Confirm, and every device is signed out at once, yours too.",
            "Возможно, в ваш аккаунт вошёл кто-то другой. Подтвердите, и сеансы завершатся сразу на всех устройствах, на ваших тоже.";
        not_me_submit: "Sign out everywhere", "Выйти на всех устройствах";
        not_me_done: "Every device is signed out. Sign in, change your password, and look at linked accounts and your address.",
            "Сеансы на всех устройствах завершены. Войдите, смените пароль и проверьте привязанные аккаунты и адрес.";
        not_me_mailed: "Every device is signed out, and the old password does not sign in any more. A mail with a link to set a new one is on its way to the first address of the account. Then look at linked accounts, addresses and second factors, and remove what is not yours.",
            "Сеансы на всех устройствах завершены, и старый пароль больше не действует. Письмо со ссылкой для нового уже в пути на основной адрес аккаунта. Затем проверьте привязанные аккаунты, адреса и вторые факторы и удалите чужое.";
        not_me_password_gone: "Every device is signed out, and the old password does not sign in any more. Sign in by a linked account or a passkey, set a new one, and remove what is not yours.",
            "Сеансы на всех устройствах завершены, и старый пароль больше не действует. Войдите через привязанный аккаунт или ключом доступа, задайте новый и удалите чужое.";
        setup_title: "The first administrator", "Первый администратор";
        setup_about: "The setup link works once. Create the administrator's account.",
            "Ссылка установки работает один раз. Создайте аккаунт администратора.";
        setup_token: "Setup code", "Код установки";
        setup_token_hint: "What stands after #token= in the link of the first start.",
            "То, что стоит после #token= в ссылке первого запуска.";
        setup_submit: "Create the administrator", "Создать администратора";
        setup_done: "There is an administrator already. Sign in.", "Администратор уже есть. Войдите.";
        code_title: "Sign in by a code", "Вход по коду";
        code_about: "We send a code to your confirmed address.", "Мы отправим код на ваш подтверждённый адрес.";
        code_send: "Send the code", "Отправить код";
        code_sent: "If {email} is a confirmed address here, a code is on its way to it.",
            "Если {email} — подтверждённый здесь адрес, код уже в пути.";
        bot_open: "Open the bot in Telegram and press Start.", "Откройте бота в Telegram и нажмите «Старт».";
        bot_number: "Choose this number there:", "Выберите там это число:";
        bot_return: "Come back here.", "Вернитесь сюда.";
        bot_command: "Nothing happens? Send the bot this:", "Ничего не происходит? Отправьте боту:";
        bot_confirmed: "I have confirmed", "Подтверждено, войти";
        bot_waiting: "The bot has not heard from you yet. Confirm there, then press the button.",
            "Бот ещё не получил ответа. Подтвердите там и нажмите кнопку.";
    }
}
