//! What the service says to people outside of its pages, in each of its languages. How a text is sent is not known here,
//! nor how it is escaped: whoever fills one into HTML escapes the values first.

/// A language that the service speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Language {
    /// For everybody else.
    #[default]
    English,
    /// For `ru` and its regions.
    Russian,
}

impl Language {
    /// Every language, for tests.
    pub const ALL: [Self; 2] = [Self::English, Self::Russian];

    /// The language of a tag (BCP 47) or a locale: `ru`, `ru-RU`, `ru_RU.UTF-8`.
    #[must_use]
    pub fn of_tag(tag: &str) -> Self {
        Self::known(tag).unwrap_or_default()
    }

    /// The one that is preferred in an `Accept-Language` header (RFC 9110 section 12.5.4).
    #[must_use]
    pub fn of_header(header: &str) -> Self {
        let (mut best, mut best_weight) = (Self::default(), 0.0_f32);
        for range in header.split(',').take(16) {
            let mut parts = range.split(';');
            let language = parts.next().and_then(|tag| Self::known(tag.trim()));
            let weight = parts.find_map(|part| part.trim().strip_prefix("q=")?.parse::<f32>().ok()).unwrap_or(1.0);
            let Some(language) = language else { continue };
            // Of two that are equally welcome it is the usual one.
            if weight > best_weight || (weight == best_weight && language == Self::default()) {
                (best, best_weight) = (language, weight);
            }
        }
        best
    }

    fn known(tag: &str) -> Option<Self> {
        match tag.split(['-', '_', '.']).next().unwrap_or_default() {
            primary if primary.eq_ignore_ascii_case("ru") => Some(Self::Russian),
            primary if primary.eq_ignore_ascii_case("en") => Some(Self::English),
            _ => None,
        }
    }
}

/// A text; `{name}` in it stands for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// The bot, to somebody who wrote without an attempt.
    BotSendTheCommand,
    /// The bot, to somebody who opens it, HTML: `{site}`.
    BotGreeting,
    /// Under a button of a request, HTML: `{who}` and `{what}`.
    BotRequest,
    /// The same for an account: `{who}`.
    BotAccountRequest,
    /// It is open: `{missing}` more must approve.
    BotRequestOpen,
    /// It has been approved.
    BotRequestApproved,
    /// It has been declined.
    BotRequestDeclined,
    /// It has ended without a decision.
    BotRequestEnded,
    /// What was pressed is done.
    BotDecided,
    /// Somebody decided meanwhile.
    BotRequestChanged,
    /// The account is not one that may decide.
    BotMayNotDecide,
    /// Two factors are asked for: `{site}`.
    BotDecideElsewhere,
    /// The button that leads there: `{site}`.
    BotDecideThere,
    /// After `/stop`.
    BotStopped,
    /// After `/help`, HTML: `{site}`.
    BotHelp,
    /// The bot's question, HTML: `{site}`, and `{from}` where the sign-in comes from.
    BotWhichCode,
    /// The button that ends the attempt.
    BotNotMe,
    /// After the right code.
    BotSignedIn,
    /// After a wrong code, or "not me".
    BotCancelled,
    /// After the right code, where the person may not sign in. The sign-in page says why.
    BotRefused,
}

impl Text {
    /// Every text, for tests.
    pub const ALL: [Self; 20] = [
        Self::BotSendTheCommand,
        Self::BotGreeting,
        Self::BotStopped,
        Self::BotHelp,
        Self::BotWhichCode,
        Self::BotNotMe,
        Self::BotSignedIn,
        Self::BotCancelled,
        Self::BotRefused,
        Self::BotRequest,
        Self::BotAccountRequest,
        Self::BotRequestOpen,
        Self::BotRequestApproved,
        Self::BotRequestDeclined,
        Self::BotRequestEnded,
        Self::BotDecided,
        Self::BotRequestChanged,
        Self::BotMayNotDecide,
        Self::BotDecideElsewhere,
        Self::BotDecideThere,
    ];

    /// The text in this language.
    #[must_use]
    pub const fn in_language(self, language: Language) -> &'static str {
        let (english, russian) = self.both();
        match language {
            Language::English => english,
            Language::Russian => russian,
        }
    }

    /// The text with its values; one that it does not name is left out.
    #[must_use]
    pub fn filled(self, language: Language, values: &[(&str, &str)]) -> String {
        let mut filled = String::new();
        let mut rest = self.in_language(language);
        while let Some((before, name, after)) = next_place(rest) {
            let value = values.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| value);
            filled.push_str(before);
            filled.push_str(value);
            rest = after;
        }
        filled + rest
    }

    /// English, Russian.
    const fn both(self) -> (&'static str, &'static str) {
        match self {
            Self::BotSendTheCommand => (
                "Open the sign-in page and send the command that it shows.",
                "Откройте страницу входа и отправьте команду, показанную на ней.",
            ),
            Self::BotGreeting => (
                "Hello! This bot signs you in to {site} and brings you its messages. To sign in, open the sign-in page \
                 there. /stop: no more messages. /help: what I can do.",
                "Здравствуйте! Этот бот помогает войти на {site} и приносит оттуда сообщения. Чтобы войти, откройте там \
                 страницу входа. /stop — больше не присылать сообщений. /help — что я умею.",
            ),
            Self::BotStopped => (
                "I write no more messages to you. Signing in still works. /start: write again.",
                "Больше не буду присылать сообщений. Входить по-прежнему можно. /start — присылать снова.",
            ),
            Self::BotHelp => (
                "I sign you in to {site} and bring you its messages.\n/start: bring messages\n/stop: bring no more\n/help: \
                 this text\nWhich messages come is chosen in the settings of your account.",
                "Помогаю войти на {site} и приношу оттуда сообщения.\n/start — присылать сообщения\n/stop — больше не \
                 присылать\n/help — этот текст\nКакие сообщения приходят, выбирается в настройках учётной записи.",
            ),
            Self::BotWhichCode => (
                "Sign-in to <b>{site}</b>\n{from}\n\nTap the code that your browser shows. If you are not signing in, \
                 tap “Not me”.",
                "Вход на <b>{site}</b>\n{from}\n\nНажмите код, который показывает браузер. Если вы не входите — «Это \
                 не я».",
            ),
            Self::BotNotMe => ("Not me", "Это не я"),
            Self::BotSignedIn => ("Done: go back to the sign-in page.", "Готово: вернитесь на страницу входа."),
            Self::BotCancelled => ("The sign-in is cancelled.", "Вход отменён."),
            Self::BotRefused => (
                "You are not let in: the sign-in page says why.",
                "Войти не получилось: почему, сказано на странице входа.",
            ),
            Self::BotRequest => ("<b>{who}</b> asks for <b>{what}</b>", "<b>{who}</b> просит <b>{what}</b>"),
            Self::BotAccountRequest => ("<b>{who}</b> would like an account", "<b>{who}</b> просит учётную запись"),
            Self::BotRequestOpen => ("Approvals still missing: {missing}", "Ещё нужно одобрений: {missing}"),
            Self::BotRequestApproved => ("Approved", "Одобрено"),
            Self::BotRequestDeclined => ("Declined", "Отклонено"),
            Self::BotRequestEnded => ("Ended without a decision", "Завершён без решения"),
            Self::BotDecided => ("Done", "Готово"),
            Self::BotRequestChanged => (
                "It has changed since this message. Look again, then decide.",
                "С тех пор запрос изменился. Посмотрите ещё раз и решите.",
            ),
            Self::BotMayNotDecide => ("You cannot decide this here.", "Вы не можете решить это здесь."),
            Self::BotDecideElsewhere => {
                ("This needs your second factor: decide on {site}.", "Здесь нужен второй фактор: решите на {site}.")
            }
            Self::BotDecideThere => ("Decide on {site}", "Решить на {site}"),
        }
    }
}

/// What comes before the next `{name}`, the name, and what comes after it.
fn next_place(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once('{')?;
    let (name, after) = rest.split_once('}')?;
    Some((before, name, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(mut text: &'static str) -> Vec<&'static str> {
        let mut names = Vec::new();
        while let Some((_, name, after)) = next_place(text) {
            names.push(name);
            text = after;
        }
        names.sort_unstable();
        names
    }

    #[test]
    fn every_text_is_there_in_each_language() {
        let is_cyrillic = |c: char| ('\u{400}'..='\u{4ff}').contains(&c);
        for text in Text::ALL {
            let (english, russian) = (text.in_language(Language::English), text.in_language(Language::Russian));
            assert!(!english.is_empty() && !english.contains(is_cyrillic), "{text:?}");
            assert!(russian.contains(is_cyrillic), "{text:?}");
            assert_eq!(places(english), places(russian), "{text:?}: the same values in each language");
        }
    }

    /// ASVS V1.3.10
    #[test]
    fn values_are_filled_in_once() {
        let filled = Text::BotWhichCode.filled(Language::English, &[("site", "{from}"), ("from", "here")]);
        assert!(filled.starts_with("Sign-in to <b>{from}</b>\nhere\n"), "{filled}");
    }

    #[test]
    fn a_language_is_found_by_its_tag_and_in_a_header() {
        for (tag, language) in [
            ("ru", Language::Russian),
            ("RU-ru", Language::Russian),
            ("ru_RU.UTF-8", Language::Russian),
            ("en-GB", Language::English),
            ("run", Language::English),
            ("de", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of_tag(tag), language, "{tag}");
        }
        for (header, language) in [
            ("ru-RU,ru;q=0.9,en;q=0.8", Language::Russian),
            ("en-GB,ru;q=0.5", Language::English),
            ("ru,en", Language::English),
            ("en;q=0.1, ru;q=0.2", Language::Russian),
            ("ru;q=0", Language::English),
            ("ru;q=banana, en;q=0.1", Language::Russian),
            ("de", Language::English),
        ] {
            assert_eq!(Language::of_header(header), language, "{header}");
        }
    }
}
