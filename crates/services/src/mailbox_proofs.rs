//! What proves a mailbox: a link and a six-digit code in one mail, and one sealed row behind both, found by the hash of
//! the link's token. A challenge, for whoever asked, leads to the same row; with it and the code a registration goes on.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use userd_crypto::{OpaqueSecret, Zeroizing, constant_time_eq};
use userd_model::{Email, Random, Sealed, SessionId, Timestamp, UserId, text};
use userd_storage::{Failure, UnitOfWork, repositories::one_time_tokens::OneTimeToken};

use crate::{Dependencies, consent::Consent, link_tokens, sealing::row_context, user_reader::internal};

pub(crate) const PURPOSE: &str = "email_proof";
pub(crate) const CHALLENGE_PURPOSE: &str = "email_challenge";
const CONTEXT: &str = "one_time_tokens|email_proof";
const CHALLENGE: &str = "";

/// How long the link is good.
pub(crate) const LIFE: Duration = Duration::from_secs(24 * 3600);
/// How long the code is good: it is short, so it is not good for long.
pub(crate) const CODE_LIFE: Duration = Duration::from_secs(600);
/// Wrong codes after which a code is gone.
pub(crate) const MOST_FAILURES: u32 = 5;
/// Addresses that one account may be proving at a time.
const MOST_WAITING: usize = 5;

/// A mailbox that somebody is asked to prove.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct MailboxProof {
    pub(crate) address: String,
    pub(crate) proves: Proves,
    /// The session in which it was asked for.
    #[serde(default)]
    session: Option<SessionId>,
    code: Vec<u8>,
    pub(crate) code_until: Timestamp,
    failures: u32,
}

/// What follows from the proof.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Proves {
    /// An account begins.
    Registration(Box<Waiting>),
    /// The address of the account is proven.
    Own(UserId),
    /// It takes the place of the account's address.
    Replacement(UserId),
    /// It is a further address of the account.
    Further(UserId),
}

/// Which proofs are meant, by the session in which they were asked for. One of which that is not known is meant always.
#[derive(Clone, Copy)]
pub(crate) enum AskedIn {
    One(SessionId),
    AllBut(Option<SessionId>),
}

/// A proof that is asked for.
pub(crate) struct Wanted {
    pub(crate) proves: Proves,
    /// In which session.
    pub(crate) session: Option<SessionId>,
    /// Whether a mail goes out. Where none does, there is no code, because it could only be guessed, and what an
    /// earlier mail brought stays good.
    pub(crate) goes_out: bool,
}

/// A registration that waits: nothing of it is claimed.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Waiting {
    pub(crate) username: Option<String>,
    pub(crate) password_hash: String,
    pub(crate) display_name: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) device_name: Option<String>,
    /// The hash of the invitation that was shown.
    #[serde(default)]
    pub(crate) invitation: Option<Vec<u8>>,
    /// What was accepted.
    #[serde(default)]
    pub(crate) consent: Option<Consent>,
}

/// What goes into the mail, and to whoever asked. Told to nobody else: only hashes are stored.
pub(crate) struct Minted {
    pub(crate) token: Zeroizing<String>,
    pub(crate) code: Zeroizing<String>,
    pub(crate) challenge: Zeroizing<String>,
}

/// How a code compares.
pub(crate) enum Compared {
    /// It is the one that was sent.
    Right(MailboxProof),
    /// It is not, or its time is over; the guess is counted.
    Wrong,
}

impl Proves {
    pub(crate) const fn owner(&self) -> Option<UserId> {
        match self {
            Self::Registration(_) => None,
            Self::Own(user) | Self::Replacement(user) | Self::Further(user) => Some(*user),
        }
    }
}

impl MailboxProof {
    /// Whether the code was guessed at too often: it is gone.
    pub(crate) const fn has_ended(&self) -> bool {
        self.failures >= MOST_FAILURES
    }
}

impl AskedIn {
    fn covers(self, session: Option<SessionId>) -> bool {
        match self {
            Self::One(of) => session.is_none_or(|session| session == of),
            Self::AllBut(kept) => session.is_none() || session != kept,
        }
    }
}

/// Mints proofs and finds them again.
pub(crate) struct Proofs<'a>(pub(crate) &'a Dependencies);

impl Proofs<'_> {
    /// A new proof, within the change that makes its mail. The newest mail counts: an earlier proof of the same address
    /// for the same account is gone.
    pub(crate) async fn mint(
        &self,
        unit: &mut UnitOfWork,
        now: Timestamp,
        address: &Email,
        Wanted { proves, session, goes_out }: Wanted,
    ) -> Result<Minted, Failure> {
        let owner = proves.owner();
        // Whoever proves the address that they claim was given no challenge.
        let has_challenge = !matches!(proves, Proves::Own(_));
        let random = self.0.random.as_ref();
        let (token, hash) = OpaqueSecret::mint(link_tokens::PREFIX, random);
        let (challenge, challenge_hash) = OpaqueSecret::mint(CHALLENGE, random);
        let code = six_digits(random);
        let hash_of_code = if goes_out { self.hash_of_code(&hash, &code).to_vec() } else { Vec::new() };
        match owner {
            Some(owner) if goes_out => self.forget_earlier(unit, owner, address, now).await?,
            Some(_) => return Ok(Minted { token, code, challenge }),
            // A registration waits with what was typed, and gets its code by asking for the mail once more.
            None => {}
        }
        let proof = MailboxProof {
            address: address.as_str().to_owned(),
            proves,
            session,
            code: hash_of_code,
            code_until: now.plus(CODE_LIFE),
            failures: 0,
        };
        let row = OneTimeToken {
            hash: hash.to_vec(),
            purpose: PURPOSE.to_owned(),
            owner,
            payload: self.seal(&hash, &proof)?,
            created_at: now,
            expires_at: now.plus(LIFE),
        };
        unit.one_time_tokens().insert(&row).await?;
        let pointer = OneTimeToken {
            hash: challenge_hash.to_vec(),
            purpose: CHALLENGE_PURPOSE.to_owned(),
            owner,
            payload: hash.to_vec(),
            created_at: now,
            expires_at: now.plus(LIFE),
        };
        if has_challenge {
            unit.one_time_tokens().insert(&pointer).await?;
        }
        Ok(Minted { token, code, challenge })
    }

    async fn forget_earlier(
        &self,
        unit: &mut UnitOfWork,
        owner: UserId,
        address: &Email,
        now: Timestamp,
    ) -> Result<(), Failure> {
        let mut waiting = self.of_owner(unit, owner, now).await?;
        waiting.sort_by_key(|(row, _)| row.created_at);
        let too_many = (waiting.len() + 1).saturating_sub(MOST_WAITING);
        for (at, (row, proof)) in waiting.into_iter().enumerate() {
            if at < too_many || proof.address == address.as_str() {
                unit.one_time_tokens().take(&row.hash, PURPOSE, now).await?;
            }
        }
        Ok(())
    }

    /// Proofs of addresses that the account does not have yet.
    pub(crate) async fn forget_other_addresses(
        &self,
        unit: &mut UnitOfWork,
        owner: UserId,
        now: Timestamp,
        asked_in: AskedIn,
    ) -> Result<(), Failure> {
        for (row, proof) in self.of_owner(unit, owner, now).await? {
            if !matches!(proof.proves, Proves::Own(_)) && asked_in.covers(proof.session) {
                unit.one_time_tokens().take(&row.hash, PURPOSE, now).await?;
            }
        }
        Ok(())
    }

    /// What this account is proving now.
    async fn of_owner(
        &self,
        unit: &mut UnitOfWork,
        owner: UserId,
        now: Timestamp,
    ) -> Result<Vec<(OneTimeToken, MailboxProof)>, Failure> {
        let rows = unit.one_time_tokens().of_owner(owner, now).await?;
        let ours = rows.into_iter().filter(|row| row.purpose == PURPOSE);
        ours.map(|row| self.open(&row).map(|proof| (row, proof))).collect()
    }

    /// The addresses that this account is proving, whose codes are still good; the newest first.
    pub(crate) async fn awaiting_code(
        &self,
        unit: &mut UnitOfWork,
        owner: UserId,
        now: Timestamp,
    ) -> Result<Vec<String>, Failure> {
        let mut found = self.of_owner(unit, owner, now).await?;
        found.retain(|(_, proof)| proof.code_until > now);
        found.sort_by_key(|(row, _)| std::cmp::Reverse(row.created_at));
        Ok(found.into_iter().map(|(_, proof)| proof.address).collect())
    }

    /// The row of an address that this account is proving.
    pub(crate) async fn hash_for(
        &self,
        unit: &mut UnitOfWork,
        owner: UserId,
        address: &Email,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let found = self.of_owner(unit, owner, now).await?;
        Ok(found.into_iter().find(|(_, proof)| proof.address == address.as_str()).map(|(row, _)| row.hash))
    }

    /// The row that a challenge leads to.
    pub(crate) async fn hash_behind(
        &self,
        unit: &mut UnitOfWork,
        challenge: &str,
        now: Timestamp,
    ) -> Result<Option<Vec<u8>>, Failure> {
        let Some(hash) = OpaqueSecret::hash_of(CHALLENGE, challenge) else { return Ok(None) };
        Ok(unit.one_time_tokens().find(&hash, CHALLENGE_PURPOSE, now).await?.map(|row| row.payload))
    }

    /// The proof behind a link; it stays.
    pub(crate) async fn find(
        &self,
        unit: &mut UnitOfWork,
        hash: &[u8],
        now: Timestamp,
    ) -> Result<Option<MailboxProof>, Failure> {
        let found = unit.one_time_tokens().find(hash, PURPOSE, now).await?;
        found.map(|row| self.open(&row)).transpose()
    }

    /// The same, taken: whoever commits first has it.
    pub(crate) async fn take(
        &self,
        unit: &mut UnitOfWork,
        hash: &[u8],
        now: Timestamp,
    ) -> Result<Option<MailboxProof>, Failure> {
        let taken = unit.one_time_tokens().take(hash, PURPOSE, now).await?;
        taken.map(|row| self.open(&row)).transpose()
    }

    /// Compares a code, and counts where it is wrong: to be committed in either case.
    pub(crate) async fn compare(
        &self,
        unit: &mut UnitOfWork,
        hash: &[u8],
        (address, code): (&Email, &str),
        now: Timestamp,
    ) -> Result<Compared, Failure> {
        let Some(mut proof) = self.find(unit, hash, now).await? else { return Ok(Compared::Wrong) };
        let is_right = constant_time_eq(&proof.code, &self.hash_of_code(hash, code));
        if is_right && proof.code_until > now && proof.address == address.as_str() {
            return Ok(Compared::Right(proof));
        }
        proof.failures = proof.failures.saturating_add(1);
        // The link stays: nobody guesses it, and whoever guesses at the code must not take it from the reader of the mail.
        if proof.has_ended() {
            proof.code.clear();
        }
        let sealed = self.seal(hash, &proof)?;
        unit.one_time_tokens().update_payload(hash, &sealed).await?;
        Ok(Compared::Wrong)
    }

    fn hash_of_code(&self, row: &[u8], code: &str) -> [u8; 32] {
        self.0.crypto.index.keyed_hash("code of a mail", &[row, code.as_bytes()])
    }

    fn seal(&self, hash: &[u8], proof: &MailboxProof) -> Result<Vec<u8>, Failure> {
        let plain = Zeroizing::new(serde_json::to_vec(proof).map_err(internal)?);
        let context = row_context(CONTEXT, &[hash]);
        Ok(self.0.vault.seal(self.0.random.as_ref(), &context, &plain).map_err(internal)?.0)
    }

    fn open(&self, row: &OneTimeToken) -> Result<MailboxProof, Failure> {
        let context = row_context(CONTEXT, &[&row.hash]);
        let plain = self.0.vault.open(&context, &Sealed(row.payload.clone())).map_err(internal)?;
        serde_json::from_slice(&plain).map_err(internal)
    }
}

/// A code as people type it: a blank or a dash between its digits, as mails and phones show them, is no mistake.
pub(crate) fn digits_of(typed: &str) -> Zeroizing<String> {
    Zeroizing::new(typed.chars().filter(|c| !text::is_separator(*c)).collect())
}

/// Six digits, each number as likely as the other.
pub(crate) fn six_digits(random: &dyn Random) -> Zeroizing<String> {
    const ALL: u32 = 1_000_000;
    loop {
        let mut bytes = [0; 4];
        random.fill(&mut bytes);
        let drawn = u32::from_be_bytes(bytes);
        if drawn < u32::MAX - u32::MAX % ALL {
            return Zeroizing::new(format!("{:06}", drawn % ALL));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// Gives these numbers out, one after the other.
    struct Drawn(Mutex<Vec<u32>>);

    impl Random for Drawn {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.copy_from_slice(&self.0.lock().unwrap().remove(0).to_be_bytes());
        }
    }

    /// What the standard takes for twenty bits; with five wrong ones the code has ended.
    /// ASVS V6.5.4
    #[test]
    fn a_code_is_any_of_a_million_and_each_as_likely() {
        let drawn = |numbers: &[u32]| six_digits(&Drawn(Mutex::new(numbers.to_vec()))).to_string();
        let ends = [0, 999_999, 1_000_000, 4_293_999_999].map(|number| drawn(&[number]));
        assert_eq!(ends, ["000000", "999999", "000000", "999999"]);
        // The rest of what 32 bits hold would make some numbers likelier than others: it is drawn again.
        for uneven in [4_294_000_000, u32::MAX] {
            assert_eq!(drawn(&[uneven, 123_456]), "123456", "{uneven}");
        }
    }
}
