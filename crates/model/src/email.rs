//! The e-mail address: one canonical form that is stored, sent to and compared. Whether somebody reads mail there
//! is not decided here.
//!
//! Accepted is `local@domain` with an RFC 5322 dot-atom of ASCII characters as the local part (no quoted strings, no
//! comments, no RFC 6531 local parts) and a domain name with at least one dot. The local part is lower-cased: RFC 5321
//! would let two mailboxes differ by case, no mail service in use does, and two accounts for one mailbox are an attack.
//! The domain goes through UTS 46 (non-transitional, STD3 rules, hyphen and length checks) to lower-case ASCII.

use std::fmt;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::char::is_combining_mark;

use crate::text::{is_bidi_control, is_zero_width};

/// Longest address, in bytes of the canonical form (RFC 5321 section 4.5.3.1.3, less the angle brackets).
const MAX_ADDRESS: usize = 254;
/// Longest local part, in bytes (RFC 5321 section 4.5.3.1.1).
const MAX_LOCAL_PART: usize = 64;
/// Longest input looked at, in bytes: an address whose domain is written in Unicode is longer than its ASCII form.
const MAX_INPUT: usize = 1024;

/// An e-mail address in canonical form. Printing hides it: it is personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Email(String);

impl Email {
    /// The address that `text` spells, in canonical form. White space around it is not part of it.
    ///
    /// # Errors
    /// What is wrong with it, in words for its writer; never the address itself.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_INPUT {
            return Err("is longer than 254 characters");
        }
        let text = text.trim();
        refuse_forbidden_characters(text)?;
        let (local, domain) = text.split_once('@').ok_or("has no @")?;
        if domain.contains('@') {
            return Err("has more than one @");
        }
        check_local_part(local)?;
        let domain = canonical_domain(domain)?;
        let canonical = format!("{}@{domain}", local.to_ascii_lowercase());
        if canonical.len() > MAX_ADDRESS {
            return Err("is longer than 254 characters");
        }
        Ok(Self(canonical))
    }

    /// An address that was parsed before it was stored.
    #[must_use]
    pub const fn stored(canonical: String) -> Self {
        Self(canonical)
    }

    /// The canonical form: what is stored, sent to and compared.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The part before the @.
    #[must_use]
    pub fn local_part(&self) -> &str {
        self.0.split_once('@').map_or("", |(local, _)| local)
    }

    /// The part after the @: lower-case ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        self.0.split_once('@').map_or("", |(_, domain)| domain)
    }

    /// The canonical form, without a copy.
    #[must_use]
    pub fn into_string(self) -> String {
        self.0
    }
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Email(…)")
    }
}

/// Names what people paste or attackers plant, before the grammar speaks.
fn refuse_forbidden_characters(text: &str) -> Result<(), &'static str> {
    for c in text.chars() {
        if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}') {
            return Err("contains a line break or another control character");
        }
        if c.is_whitespace() {
            return Err("contains a space");
        }
        if is_bidi_control(c) || is_zero_width(c) {
            return Err("contains an invisible character");
        }
        if matches!(c, '\u{FF20}' | '\u{FE6B}') {
            return Err("contains a character that only looks like @");
        }
    }
    Ok(())
}

/// RFC 5322 section 3.2.3 dot-atom-text, at most 64 bytes. ASCII as typed: nothing is normalised into it.
fn check_local_part(local: &str) -> Result<(), &'static str> {
    if local.is_empty() {
        return Err("has nothing before the @");
    }
    if local.len() > MAX_LOCAL_PART {
        return Err("has more than 64 characters before the @");
    }
    if !local.is_ascii() {
        return Err("has characters before the @ that are not ASCII");
    }
    if local.starts_with('"') || local.ends_with('"') {
        return Err("has a quoted part before the @");
    }
    if local.split('.').any(str::is_empty) {
        return Err("has a misplaced dot before the @");
    }
    if !local.bytes().all(|byte| byte == b'.' || is_atext(byte)) {
        return Err("has a character before the @ that is not allowed there");
    }
    Ok(())
}

/// RFC 5322 section 3.2.3 atext.
fn is_atext(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

/// The domain in lower-case ASCII. Two spellings of one domain give one text, and every `xn--` label is the one
/// spelling of its Unicode form: labels that decode to ASCII or encode differently again are refused.
fn canonical_domain(domain: &str) -> Result<String, &'static str> {
    const WRONG: &str = "has a domain that is not valid";
    if domain.is_empty() {
        return Err("has nothing after the @");
    }
    let to_ascii = |name: &str| -> Result<String, &'static str> {
        Uts46::new()
            .to_ascii(name.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, DnsLength::Verify)
            .map(std::borrow::Cow::into_owned)
            .map_err(|_| WRONG)
    };
    let ascii = to_ascii(domain)?;
    let (unicode, valid) = Uts46::new().to_unicode(ascii.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    if valid.is_err() || to_ascii(&unicode)? != ascii || !labels_agree(&ascii, &unicode) {
        return Err(WRONG);
    }
    match ascii.rsplit_once('.') {
        None => Err("has a domain without a dot"),
        Some((_, top)) if top.bytes().all(|byte| byte.is_ascii_digit()) => Err("has an address of a machine as domain"),
        Some(_) => Ok(ascii),
    }
}

/// Whether each label is encoded exactly when it has to be, and holds only letters, digits, marks and hyphens
/// (IDNA 2008, RFC 5892; UTS 46 alone would let emoji through).
fn labels_agree(ascii: &str, unicode: &str) -> bool {
    ascii.split('.').count() == unicode.split('.').count()
        && ascii.split('.').zip(unicode.split('.')).all(|(encoded, decoded)| {
            encoded.starts_with("xn--") != decoded.is_ascii() && decoded.chars().all(may_be_in_a_label)
        })
}

/// Letters, digits, marks, hyphen, and the visible ones of RFC 5892 appendix A.
fn may_be_in_a_label(c: char) -> bool {
    c == '-'
        || c.is_alphanumeric()
        || is_combining_mark(c)
        || matches!(c, '\u{B7}' | '\u{375}' | '\u{5F3}' | '\u{5F4}' | '\u{30FB}')
}

/// A further address of a user: proven, or it would not be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FurtherEmail {
    /// Names it to its owner.
    pub id: crate::FurtherEmailId,
    /// Whose.
    pub user_id: crate::UserId,
    /// The address.
    pub email: crate::Sealed,
    /// When it was proven.
    pub created_at: crate::Timestamp,
}

impl FurtherEmail {
    /// The most that one user has.
    pub const MOST: usize = 5;
}
