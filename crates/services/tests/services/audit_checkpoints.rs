//! Checkpoints of the audit log: signed while it grows, kept outside, and never against what was signed before. What they
//! are for: proofs, restored backups, pruning.

use std::{
    io,
    sync::{Arc, Mutex},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use userd_crypto::transparency::{Hash, WitnessKey, is_consistent, leaf_hash, root_of_proof};
use userd_model::{Refusal, UserId};
use userd_services::{
    Failure, Services,
    audit::{AuditFilter, CheckpointLedger, CheckpointWitness, Scope, Signed},
    testing::{TestOptions, settings},
};
use userd_storage::repositories::audit_heads::AuditHeadRow;

use crate::{
    audit::{entries, is_one_log},
    fixture::{Fixture, TestApp, refusal},
    personas::{PASSWORD, home, of},
};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// Facts of as many users, passed on.
pub(crate) async fn grow(app: &TestApp, count: u128) {
    let facts: Vec<_> = (0..count)
        .map(|_| app.fact("user.changed", UserId(uuid::Uuid::from_bytes(app.deps.random.id_bytes())), 1))
        .collect();
    app.push(&facts).await;
    app.event_log.tick().await.unwrap();
}

async fn signed(app: &TestApp) -> Signed {
    app.audit.checkpoint().await.unwrap().unwrap()
}

pub(crate) async fn verified(app: &TestApp, kept: &[&str]) -> userd_services::audit::Verified {
    let scope = Scope { newest: None, kept: kept.iter().map(|note| (*note).to_owned()).collect() };
    app.audit.verify(&app.operator_context(), &scope, &|_, _| {}).await.unwrap()
}

#[apply(case)]
async fn a_checkpoint_is_signed_when_the_log_has_grown_and_told_outside_the_database(fixture: Fixture) {
    let app = fixture.app().await;
    assert_eq!(app.audit.checkpoint().await.unwrap(), None, "of nothing nothing is signed");
    app.member("ada").await;
    app.event_log.tick().await.unwrap();
    let first = signed(&app).await;
    assert_eq!(first.checkpoint.size, 2);
    assert_eq!(app.deps.crypto.checkpoints.open(&first.note), Ok(first.checkpoint.clone()));
    assert_eq!(signed(&app).await, first, "nothing new, nothing signed");
    let facts = app.facts().await;
    let [told] = facts.as_slice() else { panic!("{facts:?}") };
    assert_eq!((told.kind.as_str(), &told.data["note"]), ("audit.checkpoint", &first.note.as_str().into()));
    app.event_log.tick().await.unwrap();
    assert_eq!(is_one_log(&app).await.len(), 2, "a checkpoint is no entry, or there would be one after the other");
    assert_eq!(signed(&app).await, first);
    app.login("ada", PASSWORD).await.unwrap();
    app.event_log.tick().await.unwrap();
    assert_eq!(signed(&app).await.checkpoint.size, 3);
    let found = verified(&app, &[&first.note]).await;
    assert!(found.intact && found.checkpoints == 3 && found.entries == 3, "{found:?}");
}

/// What auditors keep is the key of the log as it is called now, and for auditors alone.
#[apply(case)]
async fn the_key_that_verifies_checkpoints_is_the_one_of_the_logs_name(fixture: Fixture) {
    let app = fixture.app().await;
    let operator = app.operator_context();
    assert_eq!(app.audit.verifier(&operator).await.unwrap(), None, "there is no log yet");
    let ada = app.member("ada").await;
    app.event_log.tick().await.unwrap();
    let first = app.audit.verifier(&operator).await.unwrap();
    let named = |origin: &str| Some(app.deps.crypto.checkpoints.verifier(origin));
    assert_eq!(first, named(&signed(&app).await.checkpoint.origin));
    app.end_the_past(&operator, false, &[], &|_| {}).await.unwrap();
    app.event_log.tick().await.unwrap();
    let second = app.audit.verifier(&operator).await.unwrap();
    assert_eq!(second, named(&signed(&app).await.checkpoint.origin));
    assert_ne!(first, second);
    assert_eq!(refusal(app.audit.verifier(&of(&app, &ada)).await), Refusal::Forbidden);
}

struct Kept(Mutex<Vec<String>>);

impl CheckpointLedger for Kept {
    fn record(&self, note: &str) -> io::Result<()> {
        self.0.lock().unwrap().push(note.to_owned());
        Err(io::Error::other("the disk is full"))
    }
}

/// The file of checkpoints gets each once; that it cannot be written keeps nothing else back.
#[apply(case)]
async fn each_checkpoint_goes_to_the_file_once(fixture: Fixture) {
    let app = fixture.app().await;
    let kept = Arc::new(Kept(Mutex::default()));
    let deps = userd_services::Dependencies { checkpoint_ledger: Some(kept.clone()), ..app.deps.clone() };
    let other = Services::new(deps, Vec::new(), None, userd_services::testing::channels());
    grow(&app, 5).await;
    let note = other.audit.checkpoint().await.unwrap().unwrap().note;
    other.audit.checkpoint().await.unwrap();
    assert_eq!(*kept.0.lock().unwrap(), [note]);
}

/// A witness that says what it is told to say.
struct Scripted {
    key: WitnessKey,
    answers: Mutex<Vec<Result<(u16, &'static str), &'static str>>>,
    asked: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl CheckpointWitness for Scripted {
    fn key(&self) -> &WitnessKey {
        &self.key
    }

    async fn add_checkpoint(&self, body: String) -> Result<(u16, String), String> {
        self.asked.lock().unwrap().push(body);
        let answer = self.answers.lock().unwrap().remove(0);
        answer.map(|(status, body)| (status, body.to_owned())).map_err(str::to_owned)
    }
}

/// A witness that is dead, lies or has seen more costs its signature and nothing else; where it knows another size, it is asked
/// from there, once.
#[apply(case)]
async fn a_witness_that_does_not_cosign_keeps_nothing_back(fixture: Fixture) {
    let key = "witness.example/w1+e75f6532+BAOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";
    let witness =
        Arc::new(Scripted { key: WitnessKey::parse(key).unwrap(), answers: Mutex::default(), asked: Mutex::default() });
    let app = fixture.app_with(TestOptions { witness: Some(witness.clone()), ..TestOptions::default() }).await;
    assert!(!app.audit.witness().await.unwrap(), "there is nothing to see");
    let asked = async |answers: &[Result<(u16, &'static str), &'static str>]| {
        grow(&app, 5).await;
        let note = signed(&app).await.note;
        *witness.answers.lock().unwrap() = answers.to_vec();
        assert!(!app.audit.witness().await.unwrap(), "{answers:?}");
        assert_eq!(witness.answers.lock().unwrap().len(), 0, "{answers:?}");
        assert_eq!(app.reading().audit_checkpoints().newest().await.unwrap().unwrap().note, note, "{answers:?}");
        let asked = std::mem::take(&mut *witness.asked.lock().unwrap());
        asked.into_iter().map(|body| body.strip_suffix(&*note).unwrap().to_owned()).collect::<Vec<_>>()
    };
    let zeros =
        "519lMgAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==";
    let liar: &str = format!("\u{2014} nobody AAAA\nno signature\n\u{2014} witness.example/w1 {zeros}\n").leak();
    for answer in
        [Err("dead"), Ok((500, "")), Ok((200, "")), Ok((200, liar)), Ok((404, "")), Ok((403, "")), Ok((422, ""))]
    {
        assert_eq!(asked(&[answer]).await, ["old 0\n\n"]);
    }
    // It has seen more than there is; it knows another log of the same size; its answer is no number.
    for answer in [Ok((409, "1000000\n")), Ok((409, "0\n")), Ok((409, "many\n"))] {
        assert_eq!(asked(&[answer]).await, ["old 0\n\n"]);
    }
    let twice = asked(&[Ok((409, "7\n")), Ok((409, "8\n"))]).await;
    assert_eq!((twice.len(), &*twice[0]), (2, "old 0\n\n"));
    let (size, hashes) = twice[1].trim_end().split_once('\n').unwrap();
    assert_eq!(size, "old 7");
    let hashes: Vec<String> = hashes.lines().map(str::to_owned).collect();
    let since = app.audit.prove_consistency(&app.operator_context(), 7).await.unwrap();
    assert_eq!(hashes, since.hashes);
    assert!(verified(&app, &[]).await.intact);
}

/// Whoever rewrites the log gets no signature for it, in whichever replica.
#[apply(case)]
async fn a_log_that_contradicts_what_was_signed_is_signed_no_more(fixture: Fixture) {
    let (app, other) = fixture.two_apps().await;
    grow(&app, 20).await;
    let before = app.reading().audit_heads().find().await.unwrap().unwrap();
    signed(&app).await;
    grow(&app, 20).await;
    let head = app.reading().audit_heads().find().await.unwrap().unwrap();
    let mut rewritten = head.edge.clone();
    *rewritten.last_mut().unwrap() ^= 1;
    let write = async |edge: Vec<u8>| {
        let head = &AuditHeadRow { edge, ..head.clone() };
        let written = app.deps.store.transact("tamper", |mut uow| async move {
            uow.audit_heads().write(head).await?;
            uow.commit(()).await
        });
        written.await.unwrap();
    };
    write(rewritten).await;
    for app in [&app, &other] {
        assert!(matches!(app.audit.checkpoint().await, Err(Failure::Internal(_))));
    }
    write(head.edge.clone()).await;
    assert_eq!(signed(&app).await.checkpoint.size, 40);
    // Cut back to before, with its checkpoint: this process remembers what it has signed.
    write(before.edge.clone()).await;
    assert!(matches!(app.audit.checkpoint().await, Err(Failure::Internal(_))));
}

fn hashes(lines: &[String]) -> Vec<Hash> {
    lines.iter().map(|line| STANDARD.decode(line).unwrap().try_into().unwrap()).collect()
}

#[apply(case)]
async fn every_entry_is_proven_by_a_file_and_every_checkpoint_to_be_the_beginning(fixture: Fixture) {
    let app = fixture.app().await;
    let ctx = app.operator_context();
    let mut checkpoints = Vec::new();
    for count in [3, 20, 1, 30] {
        grow(&app, count).await;
        checkpoints.push(signed(&app).await);
    }
    grow(&app, 1).await;
    for row in entries(&app).await {
        let proof = app.audit.prove(&ctx, row.id).await.unwrap();
        let (head, note) = proof.proof.split_once("\n\n").unwrap();
        let mut lines = head.lines();
        assert_eq!(lines.next(), Some("c2sp.org/tlog-proof@v1"));
        assert_eq!(lines.next(), Some(&*format!("extra {}", proof.entry)));
        assert_eq!(lines.next(), Some(&*format!("index {}", row.position)));
        let path = hashes(&lines.map(str::to_owned).collect::<Vec<_>>());
        let checkpoint = app.deps.crypto.checkpoints.open(note).unwrap();
        let leaf = leaf_hash(&STANDARD.decode(&proof.entry).unwrap());
        let position = u64::try_from(row.position).unwrap();
        assert_eq!(root_of_proof(leaf, position, checkpoint.size, &path), Some(checkpoint.root));
    }
    let last = signed(&app).await;
    assert_eq!(last.checkpoint.size, 55, "the proof of the newest entry took a new checkpoint");
    for before in &checkpoints {
        let size = before.checkpoint.size;
        let proof = app.audit.prove_consistency(&ctx, size).await.unwrap();
        assert_eq!(proof.checkpoint, last.note);
        let now = (last.checkpoint.size, last.checkpoint.root);
        assert!(is_consistent((size, before.checkpoint.root), now, &hashes(&proof.hashes)), "{size}");
    }
    let unknown = userd_model::EventId(uuid::Uuid::nil());
    assert_eq!(refusal(app.audit.prove(&ctx, unknown).await), Refusal::NotFound);
    for size in [0, 56] {
        assert!(matches!(refusal(app.audit.prove_consistency(&ctx, size).await), Refusal::InvalidInput(_)));
    }
}

/// F43: a restored backup is a fork; its log goes on under another name, and says where.
#[apply(case)]
async fn after_a_restore_the_log_goes_on_under_a_new_name_that_tells_the_last_checkpoint(fixture: Fixture) {
    let app = fixture.app().await;
    grow(&app, 30).await;
    let in_backup = signed(&app).await;
    grow(&app, 2).await;
    let ended = app.end_the_past(&app.operator_context(), false, &[], &|_| {}).await;
    ended.unwrap();
    assert!(verified(&app, &[&in_backup.note]).await.intact, "also before the fact is passed on");
    app.event_log.tick().await.unwrap();
    let after = signed(&app).await;
    assert_ne!(after.checkpoint.origin, in_backup.checkpoint.origin);
    let opened = entries(&app).await.into_iter().find(|row| row.act == "audit.log_opened").unwrap();
    let opened: serde_json::Value = serde_json::from_slice(&opened.entry).unwrap();
    assert_eq!(opened["data"]["checkpoint"], in_backup.note);
    // What the lost log had signed after the backup.
    let lost = userd_crypto::transparency::Checkpoint { size: 40, ..in_backup.checkpoint.clone() };
    let lost = app.deps.crypto.checkpoints.sign(&lost).unwrap();
    let found = verified(&app, &[&in_backup.note, &after.note, &lost]).await;
    assert!(found.intact && found.cut_off == 1, "{found:?}");
    assert_eq!((found.openings[0].size, &found.openings[0].previous), (32, &in_backup.checkpoint.origin));
    // What a database had signed whose place the backup took: it had been restored from the same backup before.
    let between = "between.example/log".to_owned();
    let between = userd_crypto::transparency::Checkpoint { size: 36, origin: between, root: [7; 32] };
    let between_note = app.deps.crypto.checkpoints.sign(&between).unwrap();
    assert!(!verified(&app, &[&between_note]).await.intact, "nothing tells of it");
    let replaced = [between.origin.clone(), in_backup.checkpoint.origin.clone()];
    app.end_the_past(&app.operator_context(), false, &replaced, &|_| {}).await.unwrap();
    for is_passed_on in [false, true] {
        let found = verified(&app, &[&in_backup.note, &after.note, &between_note, &lost]).await;
        assert!(found.intact && found.cut_off == 2, "{is_passed_on}: {found:?}");
        app.event_log.tick().await.unwrap();
    }
    let names = userd_services::audit::names(&app.deps.store).await.unwrap();
    assert!(names.len() == 4 && names.contains(&between.origin), "{names:?}");
    let found = verified(&app, &[]).await;
    assert_eq!(found.openings[1].replaced, [between.origin], "the others are its own");
    let after = signed(&app).await;
    // Without a restore that the log tells of, it is a truncation.
    let short = userd_crypto::transparency::Checkpoint { size: 99, ..after.checkpoint };
    let found = verified(&app, &[&app.deps.crypto.checkpoints.sign(&short).unwrap()]).await;
    assert_eq!(found.fault.unwrap().position, found.size);
}

/// What is over goes from the front, the log says so, and what remains is proven, against old checkpoints too.
#[apply(case)]
async fn pruned_entries_are_gone_and_the_rest_still_proves(fixture: Fixture) {
    let mut settings = settings();
    settings.retention.audit = DAY * 100;
    let app = fixture.app_with(TestOptions { settings, ..TestOptions::default() }).await;
    grow(&app, 40).await;
    let old = signed(&app).await;
    app.event_log.tick().await.unwrap();
    app.advance(DAY * 60);
    grow(&app, 30).await;
    app.advance(DAY * 42);
    assert_eq!(app.audit.prune().await.unwrap(), 0, "first it is told");
    assert_eq!(app.audit.prune().await.unwrap(), 0, "and only once");
    assert_eq!(app.facts().await.len(), 1);
    assert!(verified(&app, &[]).await.intact);
    app.event_log.tick().await.unwrap();
    assert_eq!(app.audit.prune().await.unwrap(), 40);
    assert_eq!(app.audit.prune().await.unwrap(), 0);
    let left = entries(&app).await;
    assert_eq!((left.len(), left[0].position), (31, 40));
    let after = signed(&app).await;
    let found = verified(&app, &[&old.note, &after.note]).await;
    assert!(found.intact && found.entries == 31 && found.size == 71, "{found:?}");
    for row in &left {
        app.audit.prove(&app.operator_context(), row.id).await.unwrap();
    }
    // Whoever takes one more is found out.
    let gone = &[40];
    let removed = app.deps.store.transact("tamper", |mut uow| async move {
        uow.audit_entries().remove_many(gone).await?;
        uow.commit(()).await
    });
    removed.await.unwrap();
    assert_eq!(verified(&app, &[]).await.fault.unwrap().position, 40);
}

/// An entry is over when its time is, and no sooner; that it is over is told when it has been for a day.
#[apply(fault_case)]
async fn what_is_over_is_told_a_day_later_and_what_is_not_stays(fixture: Fixture) {
    let mut settings = settings();
    settings.retention.audit = DAY * 100;
    let app = fixture.app_with(TestOptions { settings, ..TestOptions::default() }).await;
    let second = Duration::from_secs(1);
    grow(&app, 5).await;
    app.advance(DAY);
    grow(&app, 5).await;
    app.advance(second);
    grow(&app, 5).await;
    app.advance(DAY * 100 - second * 2);
    assert_eq!(app.audit.prune().await.unwrap(), 0);
    assert_eq!(app.facts().await, [], "a second is left");
    app.advance(second);
    assert_eq!(app.audit.prune().await.unwrap(), 0);
    let told = app.facts().await;
    assert_eq!((told.len(), told[0].kind.as_str()), (1, "audit.pruned"));
    assert_eq!(told[0].data, serde_json::json!({ "before": 10 }), "the last five have a second to go");
}

/// Erasing an account blinds what the log says of the person, and breaks nothing.
#[apply(case)]
async fn what_is_personal_is_read_until_its_account_is_erased_and_the_log_verifies_all_the_same(fixture: Fixture) {
    let app = fixture.app().await;
    let ada = app.member("ada").await;
    let ctx = of(&app, &ada).in_request("request-7").from_origin(home());
    app.accounts.change_username(&ctx, "countess", None).await.unwrap();
    app.event_log.tick().await.unwrap();
    let before = signed(&app).await;
    let operator = app.operator_context();
    let filter = AuditFilter { act: Some("user.username_changed".to_owned()), ..AuditFilter::default() };
    let renamed = async || app.audit.list(&operator, &filter, None, 9).await.unwrap().items.pop().unwrap();
    let entry = renamed().await;
    assert_eq!((entry.before, entry.after), (Some("ada".into()), Some("countess".into())));
    assert_eq!(entry.origin.unwrap().ip, home().ip);
    assert_eq!(entry.request_id.as_deref(), Some("request-7"));
    assert_eq!(entry.actor.id, Some(ada.id.to_string()));
    app.deletions.delete(&operator, ada.id).await.unwrap();
    app.deletions.purge(&operator, ada.id).await.unwrap();
    let entry = renamed().await;
    assert_eq!((entry.before, entry.after, entry.origin), (None, None, None));
    assert_eq!(entry.subject.id, Some(ada.id.to_string()));
    app.event_log.tick().await.unwrap();
    let found = verified(&app, &[&before.note]).await;
    assert!(found.intact, "{found:?}");
}

#[apply(case)]
async fn entries_are_found_by_who_did_what_to_whom_and_pages_go_on(fixture: Fixture) {
    let app = fixture.app().await;
    let (ada, grace) = (app.member("ada").await, app.member("grace").await);
    app.users.block(&app.operator_context(), ada.id).await.unwrap();
    app.event_log.tick().await.unwrap();
    let ctx = app.operator_context();
    let acts = async |filter: AuditFilter| {
        let (mut acts, mut after) = (Vec::new(), None);
        loop {
            let page = app.audit.list(&ctx, &filter, after, 1).await.unwrap();
            acts.extend(page.items.iter().map(|item| item.act.clone()));
            if page.items.is_empty() || page.next.is_none() {
                return acts;
            }
            after = page.next;
        }
    };
    let by = |actor: Option<&str>, subject: Option<UserId>, act: Option<&str>| AuditFilter {
        actor: actor.map(str::to_owned),
        subject: subject.map(|id| id.to_string()),
        act: act.map(str::to_owned),
        oldest_first: true,
    };
    assert_eq!(acts(by(Some("operator"), None, None)).await.len(), 2);
    assert_eq!(acts(by(None, Some(grace.id), None)).await, ["user.registered", "session.started"]);
    assert_eq!(acts(by(None, Some(ada.id), Some("user.blocked"))).await, ["user.blocked"]);
    assert_eq!(acts(by(Some("operator"), Some(grace.id), None)).await, Vec::<String>::new());
    let newest = AuditFilter { oldest_first: false, ..by(None, Some(grace.id), None) };
    assert_eq!(acts(newest).await, ["session.started", "user.registered"]);
    let page = app.audit.of_user(&ctx, grace.id, None, 9).await.unwrap();
    assert_eq!((page.items.len(), page.next), (2, None));
    for nobody in [app.context(), of(&app, &grace)] {
        let listed = app.audit.list(&nobody, &AuditFilter::default(), None, 9).await;
        assert!(matches!(refusal(listed), Refusal::Forbidden | Refusal::NotSignedIn));
    }
}
