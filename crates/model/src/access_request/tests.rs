//! The state machine against a small reference that keeps only what happened and decides anew each time.

use std::time::Duration;

use super::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Vote(u8, Verdict),
    /// The first approver approves until it is late.
    Briefly,
    Withdraw,
    /// So much time passes that whoever is asked late may decide.
    Late,
    Expire,
}

/// Whoever may decide only once the request has waited.
const LATE: u8 = 2;

/// After how many seconds.
const AFTER: Option<u64> = Some(50);

const STEPS: [Step; 11] = [
    Step::Vote(0, Verdict::Approve),
    Step::Vote(0, Verdict::Decline),
    Step::Vote(1, Verdict::Approve),
    Step::Vote(1, Verdict::Decline),
    Step::Vote(2, Verdict::Approve),
    Step::Vote(2, Verdict::Decline),
    Step::Briefly,
    Step::Withdraw,
    Step::Late,
    Step::Expire,
    // The requester.
    Step::Vote(9, Verdict::Approve),
];

const START: Timestamp = Timestamp::from_seconds(1_800_000_000);
const LATER: Timestamp = Timestamp::from_seconds(1_800_000_050);

fn id(number: u8) -> UserId {
    UserId(uuid::Uuid::from_u128(u128::from(number)))
}

fn request() -> AccessRequest {
    AccessRequest {
        id: AccessRequestId(uuid::Uuid::nil()),
        requester: id(9),
        kind: RequestKind::Role,
        name: "editor".to_owned(),
        action: RequestedAction::Grant,
        reason: None,
        starts_at: None,
        duration_seconds: None,
        state: RequestState::Open,
        decisions: Vec::new(),
        created_at: START,
        expires_at: START.plus(Duration::from_secs(100)),
        version: 1,
    }
}

/// The reference: the last word of each approver before the request ended, counted after each word. What was approved until it
/// is late is no word then.
fn reference(history: &[Step], quorum: Quorum) -> RequestState {
    let (mut last, mut is_late): ([Option<Verdict>; 3], bool) = ([None; 3], false);
    let mut is_brief = false;
    for step in history {
        match step {
            Step::Withdraw => return RequestState::Withdrawn,
            Step::Expire => return RequestState::Expired,
            Step::Late => {
                is_late = true;
                if std::mem::take(&mut is_brief) {
                    last[0] = None;
                }
            }
            Step::Vote(9, _) => {}
            Step::Vote(LATE, _) if !is_late => {}
            Step::Briefly if is_late => {}
            Step::Briefly | Step::Vote(..) => {
                let (who, verdict) = match step {
                    Step::Vote(who, verdict) => (*who, *verdict),
                    _ => (0, Verdict::Approve),
                };
                if who == 0 {
                    is_brief = *step == Step::Briefly;
                }
                last[usize::from(who)] = Some(verdict);
                let of = |verdict| last.iter().filter(|one| **one == Some(verdict)).count();
                if of(Verdict::Approve) >= quorum.approve as usize {
                    return RequestState::Approved;
                }
                if of(Verdict::Decline) >= quorum.decline as usize {
                    return RequestState::Declined;
                }
            }
        }
    }
    RequestState::Open
}

fn standing(who: u8) -> Standing {
    if who == LATE { Standing::Escalation } else { Standing::Approver }
}

fn run(history: &[Step], quorum: Quorum) -> AccessRequest {
    let mut request = request();
    let mut now = START;
    for step in history {
        let (before, was_open) = (request.clone(), request.state_at(now) == RequestState::Open);
        let answer = match step {
            Step::Vote(who, _) if !request.is_up_to(standing(*who), AFTER, now) => Ok(()),
            // An end that has passed is refused before it comes here.
            Step::Briefly if LATER <= now => Ok(()),
            Step::Late => {
                now = now.max(LATER);
                Ok(())
            }
            Step::Vote(who, verdict) => {
                let decision =
                    Decision { by: Some(id(*who)), verdict: *verdict, comment: None, at: now, expires_at: None };
                request.decide(decision, quorum, now).map(drop)
            }
            Step::Briefly => {
                let (by, verdict, expires_at) = (Some(id(0)), Verdict::Approve, Some(LATER));
                request.decide(Decision { by, verdict, comment: None, at: now, expires_at }, quorum, now).map(drop)
            }
            Step::Withdraw => request.withdraw(now),
            Step::Expire => {
                now = now.max(START.plus(Duration::from_secs(100)));
                request.expire(now);
                Ok(())
            }
        };
        match answer {
            Ok(()) => {}
            Err(Refusal::OwnRequest) => assert!(was_open && *step == Step::Vote(9, Verdict::Approve)),
            Err(Refusal::RequestClosed(state)) => assert!(!was_open && state == before.state),
            Err(other) => panic!("{other:?}"),
        }
        if answer.is_err() {
            assert_eq!(request, before, "what is refused changes nothing");
        }
    }
    request
}

#[test]
fn what_waits_too_long_is_up_to_others_from_that_moment_on() {
    let request = request();
    let at = |seconds| START.plus(Duration::from_secs(seconds));
    for (after, now, is_late) in [(AFTER, 49, false), (AFTER, 50, true), (AFTER, 99, true), (None, 99, false)] {
        assert!(request.is_up_to(Standing::Approver, after, at(now)));
        assert_eq!(request.is_up_to(Standing::Escalation, after, at(now)), is_late, "{after:?} {now}");
    }
}

/// Every history of up to four steps, for every small quorum: the same end as the reference, and nothing after it. (12.2)
#[test]
fn every_short_history_ends_as_the_reference_says() {
    let quorums = [1, 2, 3].into_iter().flat_map(|approve| [1, 2].map(|decline| Quorum { approve, decline }));
    for quorum in quorums {
        for length in 0..=4_u32 {
            for number in 0..STEPS.len().pow(length) {
                let mut rest = number;
                let history: Vec<Step> = (0..length)
                    .map(|_| {
                        let step = STEPS[rest % STEPS.len()];
                        rest /= STEPS.len();
                        step
                    })
                    .collect();
                let request = run(&history, quorum);
                assert_eq!(request.state, reference(&history, quorum), "{quorum:?} {history:?}");
            }
        }
    }
}

#[test]
fn a_grant_lasts_as_long_as_asked_allowed_and_approved_whichever_is_shortest() {
    let minutes = |count: u64| Duration::from_secs(60 * count);
    let end = |wanted: Option<u64>, longest: Option<u64>, approved: &[u64]| {
        let decisions = approved.iter().map(|count| Decision {
            by: Some(id(1)),
            verdict: Verdict::Approve,
            comment: None,
            at: START,
            expires_at: Some(START.plus(minutes(*count))),
        });
        let request = AccessRequest { duration_seconds: wanted, decisions: decisions.collect(), ..request() };
        request.period(longest, START).expires_at.map(|end| end.since(START).as_secs() / 60)
    };
    assert_eq!(end(None, None, &[]), None, "for good");
    assert_eq!(end(Some(600), None, &[]), Some(10));
    assert_eq!(end(None, Some(300), &[]), Some(5));
    assert_eq!(end(Some(600), Some(300), &[]), Some(5));
    assert_eq!(end(Some(600), Some(900), &[3, 4]), Some(3), "an approver may shorten");
    assert_eq!(end(Some(600), Some(900), &[30]), Some(10), "but never lengthen");
    assert_eq!(end(None, None, &[7]), Some(7));
}

#[test]
fn a_grant_that_starts_later_lasts_from_then_on() {
    let start = START.plus(Duration::from_secs(1000));
    let request = AccessRequest { starts_at: Some(start), duration_seconds: Some(60), ..request() };
    let period = request.period(None, START);
    assert_eq!((period.starts_at, period.expires_at), (Some(start), Some(start.plus(Duration::from_secs(60)))));
    let late = request.period(None, start.plus(Duration::from_secs(5)));
    assert_eq!(late.starts_at, None, "approved later than it was to start: it starts then");
    assert_eq!(late.expires_at, Some(start.plus(Duration::from_secs(65))));
}

/// Whoever may decide no more has said nothing; a rule stays, and so does everybody else.
#[test]
fn what_is_left_out_counts_for_nothing() {
    let mut request = request();
    let quorum = Quorum { approve: 2, decline: 2 };
    let said = |who, verdict| Decision { by: Some(id(who)), verdict, comment: None, at: START, expires_at: None };
    assert_eq!(request.decide(said(0, Verdict::Approve), quorum, START), Ok(RequestState::Open));
    request.leave_out(START, |by| by != id(0));
    assert_eq!(request.decide(said(1, Verdict::Approve), quorum, START), Ok(RequestState::Open));
    request.leave_out(START, |_| true);
    assert_eq!(request.decide(said(2, Verdict::Approve), quorum, START), Ok(RequestState::Approved));
    request.decisions.push(Decision { by: None, ..said(0, Verdict::Approve) });
    request.leave_out(START, |_| false);
    assert_eq!(request.decisions.iter().map(|decision| decision.by).collect::<Vec<_>>(), [None]);
}

/// A grant that would have ended before the last one approves of it is none; whoever wanted the end may say another one.
#[test]
fn an_approval_until_a_time_that_has_passed_counts_no_more() {
    let quorum = Quorum { approve: 2, decline: 2 };
    let said = |who, verdict, expires_at| Decision { by: Some(id(who)), verdict, comment: None, at: START, expires_at };
    let mut asked = request();
    assert_eq!(asked.decide(said(0, Verdict::Approve, Some(LATER)), quorum, START), Ok(RequestState::Open));
    // An end means nothing at a refusal.
    assert_eq!(asked.decide(said(3, Verdict::Decline, Some(LATER)), quorum, START), Ok(RequestState::Open));
    let mut seen = asked.clone();
    seen.leave_out(LATER, |_| true);
    assert_eq!(seen.decisions.iter().map(|decision| decision.by).collect::<Vec<_>>(), [Some(id(3))]);
    assert_eq!(asked.decide(said(1, Verdict::Approve, None), quorum, LATER), Ok(RequestState::Open));
    assert_eq!(asked.decide(said(0, Verdict::Approve, None), quorum, LATER), Ok(RequestState::Approved));
    assert_eq!(asked.period(None, LATER).expires_at, None);
}

#[test]
fn a_rule_approves_whatever_the_quorum() {
    let mut request = request();
    let rule = Decision { by: None, verdict: Verdict::Approve, comment: None, at: START, expires_at: None };
    let state = request.decide(rule, Quorum { approve: 5, decline: 5 }, START);
    assert_eq!(state, Ok(RequestState::Approved));
}

#[test]
fn a_request_is_open_until_its_time_is_over_and_then_nobody_decides_it() {
    let end = START.plus(Duration::from_secs(100));
    let mut request = request();
    assert_eq!(request.state_at(end.minus(Duration::from_micros(1))), RequestState::Open);
    assert!(!request.expire(end.minus(Duration::from_micros(1))));
    assert_eq!(request.must_be_open(end), Err(Refusal::RequestClosed(RequestState::Expired)));
    assert_eq!(request.withdraw(end), Err(Refusal::RequestClosed(RequestState::Expired)));
    assert!(request.expire(end));
    assert_eq!((request.state, request.version), (RequestState::Expired, 2));
    assert!(!request.expire(end), "it has expired already");
    let approved = AccessRequest { state: RequestState::Approved, ..self::request() };
    assert_eq!(approved.state_at(end), RequestState::Approved, "what was decided stays decided");
}

#[test]
fn a_grant_that_is_to_start_now_just_starts() {
    for (start, kept) in
        [(START, None), (START.plus(Duration::from_micros(1)), Some(START.plus(Duration::from_micros(1))))]
    {
        let request = AccessRequest { starts_at: Some(start), ..request() };
        assert_eq!(request.period(None, START).starts_at, kept);
    }
}

/// An end that whoever declined named is no end of the grant.
#[test]
fn only_what_was_approved_shortens_a_grant() {
    let declined = Decision {
        by: Some(id(1)),
        verdict: Verdict::Decline,
        comment: None,
        at: START,
        expires_at: Some(START.plus(Duration::from_secs(1))),
    };
    let request = AccessRequest { decisions: vec![declined], duration_seconds: Some(60), ..request() };
    assert_eq!(request.period(None, START).expires_at, Some(START.plus(Duration::from_secs(60))));
}
