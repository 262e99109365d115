//! argon2 hashes as text: `$argon2id$v=19$m=…,t=…,p=…[,keyid=…]$salt$hash`, the PHC string format. `keyid` names the
//! pepper, when there is one. Ours are argon2id; argon2i is read, because other software had it before.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use userd_model::Random;

use super::PasswordError;

pub(super) const OUTPUT_LEN: usize = 32;
const SALT_LEN: usize = 16;
/// What a stored hash may cost at most, as a multiple of ours: a planted hash must not be able to occupy a worker.
const MOST_TIMES_OURS: u32 = 4;
/// Never less than this, in KiB: hashes of a time when the parameters were higher must still open.
const ALWAYS_KIB: u32 = 256 * 1024;
const MOST_ITERATIONS: u32 = 16;
const MOST_LANES: u32 = 16;

/// What a hash costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Cost {
    pub(super) memory_kib: u32,
    pub(super) iterations: u32,
    pub(super) parallelism: u32,
}

/// One hash with all that is needed to make it again.
pub(super) struct Argon2Hash {
    pub(super) algorithm: Algorithm,
    pub(super) cost: Cost,
    pub(super) pepper_id: Option<Vec<u8>>,
    pub(super) salt: Vec<u8>,
    pub(super) output: Vec<u8>,
}

impl Cost {
    pub(super) fn new(memory_kib: u32, iterations: u32, parallelism: u32) -> Result<Self, PasswordError> {
        let cost = Self { memory_kib, iterations, parallelism };
        cost.params(OUTPUT_LEN).map(|_| cost)
    }

    /// How many blocks of 1 KiB a hash needs.
    pub(super) fn blocks(self) -> Result<usize, PasswordError> {
        Ok(self.params(OUTPUT_LEN)?.block_count())
    }

    fn params(self, output_len: usize) -> Result<Params, PasswordError> {
        Params::new(self.memory_kib, self.iterations, self.parallelism, Some(output_len))
            .map_err(|_| PasswordError::Parameters)
    }

    fn is_affordable(self, ours: Self) -> bool {
        self.memory_kib <= ours.memory_kib.saturating_mul(MOST_TIMES_OURS).max(ALWAYS_KIB)
            && self.iterations <= ours.iterations.saturating_mul(MOST_TIMES_OURS).max(MOST_ITERATIONS)
            && self.parallelism <= MOST_LANES
    }
}

impl Argon2Hash {
    /// A random salt, and a random output until there is a real one.
    pub(super) fn random(cost: Cost, random: &dyn Random) -> Self {
        let (mut salt, mut output) = (vec![0; SALT_LEN], vec![0; OUTPUT_LEN]);
        random.fill(&mut salt);
        random.fill(&mut output);
        Self { algorithm: Algorithm::Argon2id, cost, pepper_id: None, salt, output }
    }

    /// Reads a stored hash that costs at most a few times `ours`.
    pub(super) fn parse(phc: &str, ours: Cost) -> Result<Self, PasswordError> {
        let hash = read(phc).ok_or(PasswordError::UnsupportedHash)?;
        let lengths = (8..=64).contains(&hash.salt.len()) && (16..=64).contains(&hash.output.len());
        if lengths && hash.cost.is_affordable(ours) && hash.cost.params(hash.output.len()).is_ok() {
            Ok(hash)
        } else {
            Err(PasswordError::UnsupportedHash)
        }
    }

    pub(super) fn context(&self) -> Result<Argon2<'static>, PasswordError> {
        Ok(Argon2::new(self.algorithm, Version::V0x13, self.cost.params(self.output.len())?))
    }
}

impl fmt::Display for Argon2Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Cost { memory_kib, iterations, parallelism } = self.cost;
        write!(f, "${}$v=19$m={memory_kib},t={iterations},p={parallelism}", self.algorithm)?;
        if let Some(id) = &self.pepper_id {
            write!(f, ",keyid={}", STANDARD_NO_PAD.encode(id))?;
        }
        write!(f, "${}${}", STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.output))
    }
}

fn read(phc: &str) -> Option<Argon2Hash> {
    let (algorithm, rest) = match phc.strip_prefix("$argon2id$v=19$") {
        Some(rest) => (Algorithm::Argon2id, rest),
        None => (Algorithm::Argon2i, phc.strip_prefix("$argon2i$v=19$")?),
    };
    let mut fields = rest.split('$');
    let (parameters, salt, output) = (fields.next()?, fields.next()?, fields.next()?);
    let mut parameters = parameters.split(',');
    let cost = Cost {
        memory_kib: number(parameters.next()?, "m=")?,
        iterations: number(parameters.next()?, "t=")?,
        parallelism: number(parameters.next()?, "p=")?,
    };
    let pepper_id = match parameters.next() {
        None => None,
        Some(parameter) => Some(STANDARD_NO_PAD.decode(parameter.strip_prefix("keyid=")?).ok()?),
    };
    let whole = fields.next().is_none() && parameters.next().is_none();
    let (salt, output) = (STANDARD_NO_PAD.decode(salt).ok()?, STANDARD_NO_PAD.decode(output).ok()?);
    whole.then_some(Argon2Hash { algorithm, cost, pepper_id, salt, output })
}

fn number(parameter: &str, name: &str) -> Option<u32> {
    let digits = parameter.strip_prefix(name)?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    const OURS: Cost = Cost { memory_kib: 64, iterations: 1, parallelism: 1 };

    fn hash(salt: usize, output: usize) -> Argon2Hash {
        Argon2Hash {
            algorithm: Algorithm::Argon2id,
            cost: OURS,
            pepper_id: None,
            salt: vec![1; salt],
            output: vec![2; output],
        }
    }

    /// Each bound by itself, at what is just allowed and just not.
    #[test]
    fn a_stored_hash_may_cost_a_few_times_ours_and_not_more() {
        let dear = Cost { memory_kib: 100_000, iterations: 5, parallelism: 1 };
        let cases = [
            (OURS, Cost { memory_kib: 262_144, ..OURS }, Cost { memory_kib: 262_145, ..OURS }),
            (OURS, Cost { iterations: 16, ..OURS }, Cost { iterations: 17, ..OURS }),
            (OURS, Cost { parallelism: 16, ..OURS }, Cost { parallelism: 17, ..OURS }),
            (dear, Cost { memory_kib: 400_000, ..dear }, Cost { memory_kib: 400_001, ..dear }),
            (dear, Cost { iterations: 20, ..dear }, Cost { iterations: 21, ..dear }),
        ];
        for (ours, most, more) in cases {
            assert!(most.is_affordable(ours), "{most:?}");
            assert!(!more.is_affordable(ours), "{more:?}");
        }
    }

    #[test]
    fn salt_and_output_have_lengths_that_somebody_would_choose() {
        for (salt, output, taken) in
            [(8, 16, true), (64, 64, true), (7, 32, false), (65, 32, false), (16, 15, false), (16, 65, false)]
        {
            let read = Argon2Hash::parse(&hash(salt, output).to_string(), OURS);
            assert_eq!(read.is_ok(), taken, "salt of {salt}, output of {output}");
        }
    }

    #[test]
    fn what_is_written_is_read_and_nothing_may_stand_behind_it() {
        let peppered = Argon2Hash { pepper_id: Some(vec![7, 8, 9, 10]), ..hash(16, 32) };
        let text = peppered.to_string();
        let read = read(&text).unwrap();
        assert_eq!((read.algorithm, read.cost, read.pepper_id), (Algorithm::Argon2id, OURS, Some(vec![7, 8, 9, 10])));
        assert_eq!((read.salt, read.output), (vec![1; 16], vec![2; 32]));
        let parameter = text.replacen("keyid=BwgJCg", "keyid=BwgJCg,x=1", 1);
        for more in [parameter, format!("{text}$"), format!("{text}$AAAA")] {
            assert!(super::read(&more).is_none(), "{more}");
        }
    }
}
