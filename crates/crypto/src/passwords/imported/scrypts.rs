//! scrypt as other software writes it: Django's and Passlib's; better-auth's, whose costs are fixed; and Firebase's, which
//! encrypts a key of the project by what scrypt gives. Deliberately absent: making one.

use aws_lc_rs::{
    cipher::{AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey},
    iv::FixedLength,
};
use base64::{
    Engine as _, alphabet,
    engine::{
        DecodePaddingMode,
        general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD, STANDARD_NO_PAD},
    },
};
use unicode_normalization::UnicodeNormalization as _;
use zeroize::Zeroizing;

use super::{fields, has_lengths};
use crate::{
    constant_time_eq,
    passwords::{PasswordError, memory::Memory},
};

/// What a planted hash may cost at most: about what the dearest settings of these makers cost.
const MOST_BYTES: u64 = 64 * 1024 * 1024;
const MOST_PARALLELISM: u32 = 8;
/// better-auth's, which stand nowhere in its hashes.
const BETTER_AUTH: (u8, &str, &str) = (14, "16", "1");
const BETTER_AUTH_OUTPUT: usize = 64;
/// What Firebase has of scrypt, as the key of its cipher.
const FIREBASE_KEY: usize = 32;
/// Base64 as Firebase's neighbours write it: with its equals signs or without.
const PADDED_OR_NOT: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// A hash by scrypt.
pub(in crate::passwords) struct Scrypt {
    params: scrypt::Params,
    salt: Vec<u8>,
    output: Vec<u8>,
    maker: Maker,
}

/// What a maker does beside scrypt.
enum Maker {
    Nothing,
    /// Brings the password into Unicode's NFKC before. That of its NFC is the same.
    BetterAuth,
    /// Encrypts this key by AES-256 in counter mode after.
    Firebase(Zeroizing<Vec<u8>>),
}

impl Scrypt {
    /// Reads a stored hash; nothing where it is none of these.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix("scrypt$") {
            return django(rest);
        }
        if let Some(rest) = text.strip_prefix("$scrypt$") {
            return passlib(rest);
        }
        if let Some(rest) = text.strip_prefix("$firescrypt$") {
            return firebase_by_kratos(rest);
        }
        if let Some(rest) = text.strip_prefix("$fbscrypt$v=1,n=") {
            return firebase_by_supabase(rest);
        }
        better_auth(text)
    }

    /// Whether it is the password.
    pub(super) fn matches(&self, memory: &Memory, password: &str) -> Result<bool, PasswordError> {
        let password = match self.maker {
            Maker::BetterAuth => Zeroizing::new(password.nfkc().collect::<String>()),
            Maker::Nothing | Maker::Firebase(_) => Zeroizing::new(password.to_owned()),
        };
        let length = if matches!(self.maker, Maker::Firebase(_)) { FIREBASE_KEY } else { self.output.len() };
        let mut made = Zeroizing::new(vec![0; length]);
        {
            // It takes memory of its own, so one at a time does.
            let _turn = memory.turn();
            scrypt::scrypt(password.as_bytes(), &self.salt, &self.params, &mut made)
                .map_err(|_| PasswordError::Failed)?;
        }
        match &self.maker {
            Maker::Firebase(key) => Ok(constant_time_eq(&encrypted(key, &made)?, &self.output)),
            Maker::Nothing | Maker::BetterAuth => Ok(constant_time_eq(&made, &self.output)),
        }
    }

    fn new(params: scrypt::Params, salt: Vec<u8>, output: Vec<u8>, maker: Maker) -> Option<Self> {
        has_lengths(&salt, &output).then_some(Self { params, salt, output, maker })
    }
}

/// By AES-256 in counter mode from nought.
fn encrypted(text: &[u8], key: &[u8]) -> Result<Zeroizing<Vec<u8>>, PasswordError> {
    let key = UnboundCipherKey::new(&AES_256, key).and_then(EncryptingKey::ctr).map_err(|_| PasswordError::Failed)?;
    let mut text = Zeroizing::new(text.to_vec());
    let from_nought = EncryptionContext::Iv128(FixedLength::from([0; 16]));
    key.less_safe_encrypt(&mut text, from_nought).map_err(|_| PasswordError::Failed)?;
    Ok(text)
}

/// `n$salt$r$p$base64`: the salt is the text itself.
fn django(rest: &str) -> Option<Scrypt> {
    let mut parts = rest.split('$');
    let (n, salt, r, p, output) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let n: u64 = n.parse().ok().filter(|n: &u64| n.is_power_of_two())?;
    let params = params(u8::try_from(n.trailing_zeros()).ok()?, r, p)?;
    let output = STANDARD.decode(output).ok()?;
    parts.next().is_none().then(|| Scrypt::new(params, salt.as_bytes().to_vec(), output, Maker::Nothing))?
}

/// `ln=16,r=8,p=1$salt$hash`.
fn passlib(rest: &str) -> Option<Scrypt> {
    let [costs, salt, output] = fields(rest)?;
    let (salt, output) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(output).ok()?);
    Scrypt::new(named_params(costs.strip_prefix("ln=")?)?, salt, output, Maker::Nothing)
}

/// `salt:hash`, both in hexadecimal; the salt is the text itself.
fn better_auth(text: &str) -> Option<Scrypt> {
    let (salt, output) = text.split_once(':')?;
    hex::decode(salt).ok()?;
    let output = hex::decode(output).ok().filter(|output| output.len() == BETTER_AUTH_OUTPUT)?;
    let (log_n, r, p) = BETTER_AUTH;
    Scrypt::new(params(log_n, r, p)?, salt.as_bytes().to_vec(), output, Maker::BetterAuth)
}

/// `ln=14,r=8,p=1$salt$hash$separator$key`, as Kratos has Firebase's hashes.
fn firebase_by_kratos(rest: &str) -> Option<Scrypt> {
    let parts: [&str; 5] = rest.split('$').collect::<Vec<_>>().try_into().ok()?;
    let [costs, salt, output, separator, key] = parts;
    firebase(costs.strip_prefix("ln=")?, salt, output, separator, key)
}

/// `14,r=8,p=1,ss=separator,sk=key$salt$hash`, as Supabase has Firebase's hashes.
fn firebase_by_supabase(rest: &str) -> Option<Scrypt> {
    let [costs, salt, output] = fields(rest)?;
    let (costs, key) = costs.split_once(",sk=")?;
    let (costs, separator) = costs.split_once(",ss=").unwrap_or((costs, ""));
    firebase(costs, salt, output, separator, key)
}

fn firebase(costs: &str, salt: &str, output: &str, separator: &str, key: &str) -> Option<Scrypt> {
    let decode = |text: &str| PADDED_OR_NOT.decode(text).ok();
    let (output, key) = (decode(output)?, Zeroizing::new(decode(key)?));
    let salt = [decode(salt)?, decode(separator)?].concat();
    if key.len() != output.len() {
        return None;
    }
    Scrypt::new(named_params(costs)?, salt, output, Maker::Firebase(key))
}

/// `16,r=8,p=1`, the first being the binary logarithm.
fn named_params(costs: &str) -> Option<scrypt::Params> {
    let mut costs = costs.split(',');
    let (log_n, r, p) = (costs.next()?.parse().ok()?, costs.next()?.strip_prefix("r=")?, costs.next()?);
    costs.next().is_none().then(|| params(log_n, r, p.strip_prefix("p=")?))?
}

fn params(log_n: u8, r: &str, p: &str) -> Option<scrypt::Params> {
    let (r, p): (u32, u32) = (r.parse().ok()?, p.parse().ok()?);
    let bytes = 1_u64.checked_shl(log_n.into())?.checked_mul(128)?.checked_mul(r.into())?;
    let affordable = bytes <= MOST_BYTES && (1..=MOST_PARALLELISM).contains(&p);
    affordable.then(|| scrypt::Params::new(log_n, r, p).ok())?
}
