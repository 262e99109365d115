//! What a mail says: headers and parts, decoded (RFC 2045, 2047). In UTF-8, as what we write is.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A mail, read.
#[derive(Default)]
pub(super) struct Read {
    pub(super) headers: Vec<(String, String)>,
    pub(super) text: String,
    pub(super) html: String,
}

/// Reads a mail; what cannot be read is left out.
pub(super) fn read(source: &[u8]) -> Read {
    let source = String::from_utf8_lossy(source).replace("\r\n", "\n");
    let (headers, body) = split(&source);
    let mut read = Read::default();
    part(&headers, body, &mut read);
    read.headers = headers.into_iter().map(|(name, value)| (name, words(&value))).collect();
    read
}

type Headers = Vec<(String, String)>;

/// Headers, their folds undone, and the body.
fn split(source: &str) -> (Headers, &str) {
    let (head, body) = source.split_once("\n\n").unwrap_or((source, ""));
    let head = head.replace("\n ", " ").replace("\n\t", " ");
    let header = |line: &str| line.split_once(':').map(|(name, value)| (name.to_owned(), value.trim().to_owned()));
    (head.lines().filter_map(header).collect(), body)
}

fn part(headers: &Headers, body: &str, read: &mut Read) {
    let header = |name: &str| {
        let found = headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map_or("", |(_, value)| value.as_str())
    };
    let kind = header("content-type");
    let lower = kind.to_ascii_lowercase();
    if lower.starts_with("multipart/") {
        let boundary = kind.split_once("boundary=").map_or("", |(_, rest)| rest.split(';').next().unwrap_or_default());
        let boundary = format!("--{}", boundary.trim().trim_matches('"'));
        for inner in body.split(&boundary).skip(1).take_while(|inner| !inner.starts_with("--")) {
            let (headers, body) = split(inner.trim_start_matches('\n'));
            part(&headers, body, read);
        }
        return;
    }
    let decoded = match header("content-transfer-encoding").to_ascii_lowercase().as_str() {
        "quoted-printable" => utf8(quoted_printable(body.replace("=\n", "").as_bytes(), false)),
        "base64" => utf8(STANDARD.decode(body.split_whitespace().collect::<String>()).unwrap_or_default()),
        _ => body.to_owned(),
    };
    let place = if lower.starts_with("text/html") { &mut read.html } else { &mut read.text };
    if place.is_empty() {
        *place = decoded.replace("\r\n", "\n");
    }
}

fn utf8(bytes: Vec<u8>) -> String {
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `=D0=90`; in headers a space is written as `_`.
fn quoted_printable(text: &[u8], in_header: bool) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = digits.filter(|_| *first == b'=').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(code.unwrap_or(if in_header && *first == b'_' { b' ' } else { *first }));
        rest = if code.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    bytes
}

/// `=?utf-8?b?…?=` and `=?utf-8?q?…?=` as the letters that they stand for. Spaces between two such words are none, and
/// a letter may begin in one and end in the next.
fn words(value: &str) -> String {
    let mut bytes: Vec<u8> = Vec::new();
    let (mut rest, mut after_word) = (value, false);
    while let Some((before, encoded)) = rest.split_once("=?") {
        let mut fields = encoded.splitn(4, '?');
        let (_, encoding, text) = (fields.next(), fields.next(), fields.next());
        let (Some(encoding), Some(text), Some(after)) =
            (encoding, text, fields.next().and_then(|after| after.strip_prefix('=')))
        else {
            break;
        };
        if !(after_word && before.trim().is_empty()) {
            bytes.extend_from_slice(before.as_bytes());
        }
        bytes.extend(match encoding {
            "b" | "B" => STANDARD.decode(text).unwrap_or_default(),
            _ => quoted_printable(text.as_bytes(), true),
        });
        (rest, after_word) = (after, true);
    }
    bytes.extend_from_slice(rest.as_bytes());
    utf8(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mail_is_read_as_it_was_meant() {
        let source = "From: =?utf-8?q?=D0=90=D0=BD?= =?utf-8?b?0L3QsA==?= <a@example.org>\r\nSubject: one\r\n two\r\n\
                      Content-Type: multipart/alternative;\r\n boundary=\"x-1\"\r\n\r\n--x-1\r\nContent-Type: text/plain; charset=utf-8\r\n\
                      Content-Transfer-Encoding: quoted-printable\r\n\r\n=D0=94=D0=B0, 1 =3D 1 and no=\r\n break\r\n\
                      --x-1\r\nContent-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+0JTQsDwv\r\nYj4=\r\n--x-1--\r\n";
        let read = read(source.as_bytes());
        assert_eq!(read.headers[0], ("From".to_owned(), "Анна <a@example.org>".to_owned()));
        assert_eq!(read.headers[1].1, "one two");
        assert_eq!(read.text.trim_end(), "Да, 1 = 1 and no break");
        assert_eq!(read.html, "<b>Да</b>");
    }

    #[test]
    fn what_is_no_mail_is_text() {
        for source in ["", "x", "\n\n", "a: b", "Subject: =?utf-8?b?x\n\ny", "Content-Type: multipart/x\n\nz"] {
            let read = read(source.as_bytes());
            assert!(read.html.is_empty(), "{source:?}");
        }
        assert_eq!(words("=?utf-8?q?a_b?= =?broken"), "a b =?broken");
    }
}
