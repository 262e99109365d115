//! Whether the time of an answer tells who has an account: the same question with addresses that are known and unknown, one
//! after the other over one connection, in no order. What it comes to is one number: how often somebody who sees the times of
//! one answer of each kind is right about which is which. Half means that they tell nothing.
//!
//! That the same is asked of the database for both is a test: `crates/services/tests/services/enumeration.rs`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{
    Fault, Pace,
    client::{Connection, post_json},
    load::{Times, count},
    people::{PASSWORD, Person},
    report::{Report, Table, short, time},
    runtime,
    server::{Server, Setting},
};

/// From this many pairs on the number is good to a hundredth.
const ENOUGH: usize = 10_000;
/// How often somebody may be right.
const BOUND: f64 = 0.52;

/// A question with an address.
struct Question {
    path: &'static str,
    /// What both kinds are answered with.
    status: u16,
    body: fn(&str) -> Value,
}

const QUESTIONS: [Question; 5] = [
    Question {
        path: "/v1/auth/login",
        status: 401,
        body: |email| json!({ "login": email, "password": "another-Lantern-43-mango" }),
    },
    Question { path: "/v1/auth/password/forgot", status: 202, body: |email| json!({ "login": email }) },
    Question { path: "/v1/auth/email/resend", status: 202, body: |email| json!({ "email": email }) },
    Question { path: "/v1/auth/register", status: 202, body: |email| json!({ "email": email, "password": PASSWORD }) },
    Question { path: "/v1/auth/email-code/begin", status: 202, body: |email| json!({ "email": email }) },
];

/// Asks everything, at a server that confirms addresses first and signs in by mailed codes.
pub(super) fn measure(setting: &Setting, people: &[Person], pace: &Pace, report: &mut Report) -> Result<(), Fault> {
    super::say("known and unknown addresses");
    let server = Server::start(&Setting { tells_nobody: true, ..setting.clone() })?;
    let mut table = Table::new(
        "Known and unknown addresses",
        format!(
            "{} pairs each, one request at a time, in no order; registration confirms addresses first. \"Told apart\": how often \
             somebody who sees the times of one answer of each kind is right about which is which; 0.50 is a guess.",
            pace.pairs
        ),
        &["question", "known p50", "unknown p50", "known p99", "unknown p99", "told apart"],
    );
    for question in &QUESTIONS {
        let (known, unknown) = ask(&server, question, people, pace.pairs)?;
        let right = told_apart(&known, &unknown);
        let (known, unknown) = (Times::new(known), Times::new(unknown));
        let shown = |times: &Times, percent| time(times.percentile(percent));
        table.row([
            format!("`POST {}`", question.path),
            shown(&known, 50),
            shown(&unknown, 50),
            shown(&known, 99),
            shown(&unknown, 99),
            short(right),
        ]);
        if pace.pairs >= ENOUGH {
            report.at_most(format!("addresses told apart by the time of `{}`", question.path), right, BOUND, "");
        }
    }
    report.tables.push(table);
    Ok(())
}

/// The times of as many known addresses as unknown ones.
fn ask(
    server: &Server,
    question: &Question,
    people: &[Person],
    pairs: usize,
) -> Result<(Vec<Duration>, Vec<Duration>), Fault> {
    let (mut known, mut unknown) = (Vec::with_capacity(pairs), Vec::with_capacity(pairs));
    let mut coin = Coin(0x9e37_79b9_7f4a_7c15);
    runtime()?.block_on(async {
        let mut connection = Connection::open(server.address).await?;
        while known.len() < pairs || unknown.len() < pairs {
            let is_known = coin.next() && known.len() < pairs || unknown.len() == pairs;
            let times = if is_known { &mut known } else { &mut unknown };
            let person = people.get(times.len() % people.len().max(1)).ok_or("nobody is known")?;
            // The same length, so that nothing differs but whether it is known.
            let email = if is_known { person.email.clone() } else { person.email.replace("person", "nobody") };
            let request = post_json(question.path, &(question.body)(&email));
            let begun = Instant::now();
            let status = connection.send(&request).await?.status;
            times.push(begun.elapsed());
            if status != question.status {
                return Err(format!("{}: {status} for {email}", question.path).into());
            }
        }
        Ok((known, unknown))
    })
}

/// Whose turn it is: xorshift, the same in every run. What an answer leaves to be done falls on either kind alike.
struct Coin(u64);

impl Coin {
    const fn next(&mut self) -> bool {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 >> 63 == 1
    }
}

/// The share of pairs in which the slower one is of the kind that is slower more often (the statistic of Mann and Whitney).
fn told_apart(known: &[Duration], unknown: &[Duration]) -> f64 {
    let mut sorted = unknown.to_vec();
    sorted.sort_unstable();
    let slower = |time: &Duration| {
        let below = sorted.partition_point(|other| other < time);
        let up_to = sorted.partition_point(|other| other <= time);
        f64::midpoint(count(below), count(up_to))
    };
    let share = known.iter().map(slower).sum::<f64>() / (count(known.len()) * count(sorted.len()));
    share.max(1.0 - share)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_times_tell_nothing_and_times_apart_tell_everything() {
        let millis = |range: std::ops::Range<u64>| range.map(Duration::from_millis).collect::<Vec<_>>();
        assert!((told_apart(&millis(0..100), &millis(0..100)) - 0.5).abs() < 1e-9);
        assert!((told_apart(&millis(0..100), &millis(100..200)) - 1.0).abs() < 1e-9);
        assert!((told_apart(&millis(100..200), &millis(0..100)) - 1.0).abs() < 1e-9);
        assert!((told_apart(&millis(0..100), &millis(50..150)) - 0.875).abs() < 0.01);
    }

    #[test]
    fn both_kinds_have_their_turn() {
        let mut coin = Coin(0x9e37_79b9_7f4a_7c15);
        let heads = (0..10_000).filter(|_| coin.next()).count();
        assert!((4_800..5_200).contains(&heads), "{heads}");
    }
}
