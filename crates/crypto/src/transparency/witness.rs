//! Witnesses: others who have seen that a log goes on as it began, and say so on its checkpoints (C2SP `tlog-cosignature`,
//! Ed25519). Deliberately absent: asking them.

use std::fmt::Write as _;

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Hash, hash_of,
    note::{Checkpoint, SIGNED_BY},
};

/// The first byte of keys that cosign.
const COSIGNATURE: u8 = 4;
const PUBLIC: usize = 32;

/// A witness whose word counts.
#[derive(Clone, PartialEq, Eq)]
pub struct WitnessKey {
    name: String,
    public: [u8; PUBLIC],
}

/// What a witness said of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosignature {
    /// The line that stands under the checkpoint, with its end.
    pub line: String,
    /// When, in seconds since 1970: then it knew of no larger log.
    pub at: u64,
}

impl WitnessKey {
    /// Reads a verifier key: name, id and key with `+` between (`vkey`).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (name, rest) = text.split_once('+')?;
        let (id, key) = rest.split_once('+')?;
        let key = STANDARD.decode(key).ok()?;
        let (COSIGNATURE, public) = key.split_first().map(|(kind, public)| (*kind, public))? else { return None };
        let witness = Self { name: name.to_owned(), public: public.try_into().ok()? };
        let is_name = !name.is_empty() && !name.chars().any(|letter| letter.is_whitespace() || letter.is_control());
        (is_name && hex::encode(witness.id()) == id).then_some(witness)
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its word for the checkpoint, among lines of signatures; those of others are none of ours.
    #[must_use]
    pub fn find(&self, checkpoint: &Checkpoint, lines: &str) -> Option<Cosignature> {
        lines.lines().find_map(|line| self.read(checkpoint, line))
    }

    fn read(&self, checkpoint: &Checkpoint, line: &str) -> Option<Cosignature> {
        let (name, signed) = line.strip_prefix(SIGNED_BY)?.split_once(' ')?;
        let bytes = STANDARD.decode(signed).ok()?;
        let (id, rest) = bytes.split_first_chunk::<4>()?;
        let (at, signature) = rest.split_first_chunk::<8>()?;
        let at = u64::from_be_bytes(*at);
        let message = format!("cosignature/v1\ntime {at}\n{}", checkpoint.text());
        let key = UnparsedPublicKey::new(&ED25519, self.public);
        let is_its = name == self.name && *id == self.id() && i64::try_from(at).is_ok();
        let is_right = is_its && key.verify(message.as_bytes(), signature).is_ok();
        is_right.then(|| Cosignature { line: format!("{line}\n"), at })
    }

    fn id(&self) -> [u8; 4] {
        let [a, b, c, d, ..] = hash_of(&[self.name.as_bytes(), b"\n", &[COSIGNATURE], &self.public]);
        [a, b, c, d]
    }
}

/// What a witness is asked with (C2SP `tlog-witness`): the size that it knows, the proof from there, and the signed note.
#[must_use]
pub fn add_checkpoint(old: u64, proof: &[Hash], note: &str) -> String {
    let mut body = format!("old {old}\n");
    for hash in proof {
        // Writing to a String does not fail.
        let _ = writeln!(body, "{}", STANDARD.encode(hash));
    }
    body + "\n" + note
}

/// Shows the public half.
impl std::fmt::Debug for WitnessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "WitnessKey({}+{})", self.name, hex::encode(self.public))
    }
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};

    use super::*;

    fn pair() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    fn verifier(kind: u8, name: &str) -> String {
        let public = pair().public_key().as_ref().to_vec();
        let id = hash_of(&[name.as_bytes(), b"\n", &[kind], &public]);
        format!("{name}+{}+{}", hex::encode(&id[..4]), STANDARD.encode([&[kind], public.as_slice()].concat()))
    }

    fn checkpoint(size: u64) -> Checkpoint {
        Checkpoint { origin: "users.example/audit".to_owned(), size, root: [9; 32] }
    }

    fn line(name: &str, at: u64, checkpoint: &Checkpoint) -> String {
        let message = format!("cosignature/v1\ntime {at}\n{}", checkpoint.text());
        let public = pair().public_key().as_ref().to_vec();
        let id = hash_of(&[name.as_bytes(), b"\n", &[COSIGNATURE], &public]);
        let signature = pair().sign(message.as_bytes());
        let signed = [&id[..4], &at.to_be_bytes(), signature.as_ref()].concat();
        format!("{SIGNED_BY}{name} {}\n", STANDARD.encode(signed))
    }

    #[test]
    fn a_witness_is_believed_about_the_checkpoint_that_it_saw_and_no_other() {
        let key = WitnessKey::parse(&verifier(COSIGNATURE, "witness.example/w1")).unwrap();
        let right = line("witness.example/w1", 1_767_225_600, &checkpoint(17));
        let lines = format!("{SIGNED_BY}someone.else AAAA\nno signature at all\n{right}");
        let found = key.find(&checkpoint(17), &lines).unwrap();
        assert_eq!(found, Cosignature { line: right.clone(), at: 1_767_225_600 });
        let moved = line("witness.example/w1", 1 << 63, &checkpoint(17));
        // The right signature under the right name with another's id, and the other way round.
        let other = line("witness.example/w2", 1_767_225_600, &checkpoint(17));
        let renamed = other.replacen("witness.example/w2", "witness.example/w1", 1);
        let unnamed = right.replacen("witness.example/w1", "witness.example/w2", 1);
        let cut = right.trim_end().strip_suffix("==").unwrap_or_else(|| right.trim_end()).to_owned();
        for (what, checkpoint, lines) in [
            ("another size", checkpoint(18), right.as_str()),
            ("another root", Checkpoint { root: [8; 32], ..checkpoint(17) }, &right),
            ("another log", Checkpoint { origin: "other".to_owned(), ..checkpoint(17) }, &right),
            ("another name and id", checkpoint(17), &other),
            ("another's id", checkpoint(17), &renamed),
            ("another name", checkpoint(17), &unnamed),
            ("a time beyond all", checkpoint(17), &moved),
            ("cut", checkpoint(17), &cut[..cut.len() - 8]),
            ("nothing", checkpoint(17), ""),
        ] {
            assert_eq!(key.find(&checkpoint, lines), None, "{what}");
        }
    }

    #[test]
    fn a_key_is_one_that_cosigns_and_says_its_own_id() {
        let right = verifier(COSIGNATURE, "witness.example");
        assert_eq!(WitnessKey::parse(&right).unwrap().name(), "witness.example");
        // A log's key is no witness's.
        assert_eq!(WitnessKey::parse(&verifier(1, "witness.example")), None);
        for no_name in ["", "two words", "a\u{7}bell"] {
            assert_eq!(WitnessKey::parse(&verifier(COSIGNATURE, no_name)), None, "{no_name:?}");
        }
        let renamed = right.replacen("witness", "Witness", 1);
        let short = right[..right.len() - 4].to_owned();
        for wrong in [renamed.as_str(), &short, "", "+", "a+b", "a+b+c", &right.replacen("witness.example", "", 1)] {
            assert_eq!(WitnessKey::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_a_witness_is_asked_is_written_as_the_specification_has_it() {
        assert_eq!(add_checkpoint(0, &[], "origin\n1\nroot\n\nsigned\n"), "old 0\n\norigin\n1\nroot\n\nsigned\n");
        let proof = STANDARD.encode([5; 32]);
        assert_eq!(add_checkpoint(3, &[[5; 32]], "note\n"), format!("old 3\n{proof}\n\nnote\n"));
    }
}
