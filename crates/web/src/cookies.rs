//! Cookies of a browser: how they are read and set, and where one may be sent on to. `__Host-` in the names of callers:
//! this host only, https (and loopback in development), unreadable for scripts. Deliberately absent: what they stand for.

use http::{HeaderMap, HeaderValue, header};

/// The value of a cookie, where the request has it once. Twice is nobody's.
#[must_use]
pub fn read<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let mut values = pairs.filter(|(known, _)| *known == name).map(|(_, value)| value);
    values.next().filter(|_| values.next().is_none())
}

/// Kept by the browser for so long. Comes back with top-level navigations from other sites, and with nothing else of theirs.
#[must_use]
pub fn kept(name: &str, value: &str, seconds: u64) -> Option<HeaderValue> {
    HeaderValue::try_from(format!("{name}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")).ok()
}

/// No longer kept.
#[must_use]
pub fn removed(name: &str) -> Option<HeaderValue> {
    kept(name, "", 0)
}

/// Several fields in one cookie, encoded as a form.
#[must_use]
pub fn fields(name: &str, fields: &[(&str, &str)], seconds: u64) -> Option<HeaderValue> {
    let value = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
    kept(name, &value, seconds)
}

/// One of the fields in a cookie's value.
#[must_use]
pub fn field(value: &str, field: &str) -> Option<String> {
    let mut fields = url::form_urlencoded::parse(value.as_bytes());
    fields.find(|(name, _)| name == field).map(|(_, value)| value.into_owned())
}

/// An address of the same site, as a path; nothing for any other (an open redirect lends our name to somebody else's page).
#[must_use]
pub fn local(text: &str) -> Option<&str> {
    let rest = text.strip_prefix('/')?;
    let is_plain = text.bytes().all(|byte| (0x21..0x7f).contains(&byte) && byte != b'\\');
    (is_plain && !rest.starts_with('/')).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn only_a_path_of_this_site_is_gone_to() {
        for good in ["/", "/account", "/account/devices?x=1#y", "/a//b"] {
            assert_eq!(local(good), Some(good));
        }
        let bad = [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "account",
            "javascript:alert(1)",
            "/\t/evil",
            "/ /evil",
            "/\r\nSet-Cookie: a=b",
            "\\\\evil",
            "/аккаунт",
        ];
        for bad in bad {
            assert_eq!(local(bad), None, "{bad}");
        }
    }
}
