//! What roles and grants cost: `permissions/check` against `/livez`, and sign-ins and refreshes where there are few roles
//! and grants against where there are many.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use userd_model::{Grant, GrantId, GrantKind, GrantSource, Period, Random as _, Role, User, UserId};
use userd_services::{Services, passwords::Password, roles::GrantInput, sessions::Login};
use userd_storage::engines::{SqliteEngine, SqliteLocation, SqliteOptions};

use super::{
    Fault, Pace,
    client::{get, post},
    load::{self, Caller, Same, count},
    median,
    people::{self, PASSWORD, Person},
    report::{Report, Table, short},
    server::{Server, Setting},
    test_services::{self, RealRandom, context},
};

/// Clients at once.
const CLIENTS: usize = 64;
/// Rows written in one unit of work.
const PORTION: usize = 1000;

/// `permissions/check` against `/livez`, each window right after the other.
pub(super) fn check_against_livez(
    (setting, server): (&Setting, &Server),
    people: &[Person],
    pace: &Pace,
    report: &mut Report,
) -> Result<(), Fault> {
    super::say("permissions/check");
    let token = people::service_token(setting, server)?;
    let mut questions = Vec::with_capacity(CLIENTS);
    for person in people.iter().take(CLIENTS) {
        let body = format!("{{\"subject\":\"{}\",\"permission\":\"billing.read\"}}", subject(person)?);
        let authorization = format!("authorization: Bearer {token}\r\n");
        questions.push(post("/v1/permissions/check", "application/json", &authorization, &body));
    }
    let ask = |requests: Vec<Vec<u8>>| {
        let callers = requests.into_iter().map(|request| Box::new(Same(request)) as Box<dyn Caller>).collect();
        load::run(server, callers, Duration::from_millis(200), pace.round)
    };
    let (mut ratios, mut costs) = (Vec::new(), Vec::new());
    for _ in 0..pace.rounds {
        let livez = ask(vec![get("/livez", None); CLIENTS])?;
        let check = ask(questions.clone())?;
        if check.failed > 0 {
            return Err(format!("{} questions were refused", check.failed).into());
        }
        ratios.push(check.per_second / livez.per_second);
        costs.push(livez.server_cpu / check.server_cpu);
    }
    report.at_least("`permissions/check` throughput against `/livez`", median(ratios), 0.6, "");
    report.at_least("the same by the server's processor time per request", median(costs), 0.6, "");
    Ok(())
}

/// Who somebody is, as their token says.
fn subject(person: &Person) -> Result<String, Fault> {
    let claims = person.access_token.split('.').nth(1).unwrap_or_default();
    let claims = URL_SAFE_NO_PAD.decode(claims)?;
    Ok(people::member(&claims, "sub").ok_or("a token of nobody")?.to_owned())
}

/// Sign-ins and refreshes in this process, with ten roles and with many, in turns.
pub(super) fn many_against_few(folder: &Path, is_quick: bool, pace: &Pace, report: &mut Report) -> Result<(), Fault> {
    let (roles, users) = if is_quick { (10_000, 20_000) } else { (100_000, 1_000_000) };
    super::say(&format!("{roles} roles and the grants of {users} users"));
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let few = Filled::open(&folder.join("few.db"), 10, CLIENTS).await?;
        let many = Filled::open(&folder.join("many.db"), roles, users).await?;
        let (mut refreshes, mut sign_ins) = ((Vec::new(), Vec::new()), (Vec::new(), Vec::new()));
        for _ in 0..pace.rounds {
            refreshes.0.push(few.refreshes(pace.round).await?);
            refreshes.1.push(many.refreshes(pace.round).await?);
            sign_ins.0.push(few.sign_ins(pace.round).await?);
            sign_ins.1.push(many.sign_ins(pace.round).await?);
        }
        let mut table = Table::new(
            "Roles and grants: few against many",
            format!(
                "{CLIENTS} clients in this process, each with three roles; passwords hashed cheaply, so that the database shows. Many: \
                 {roles} roles, {users} users with a grant each. In turns, medians."
            ),
            &["", "10 roles, per second", "many, per second", "many against few"],
        );
        for (name, (few, many)) in [("refreshes", refreshes), ("sign-ins", sign_ins)] {
            let ratio = median(many.iter().zip(&few).map(|(many, few)| many / few).collect());
            table.row([name.to_owned(), short(median(few)), short(median(many)), short(ratio)]);
            report.at_least(format!("{name} with many roles and grants against few"), ratio, 0.9, "");
        }
        report.tables.push(table);
        few.close().await;
        many.close().await;
        Ok(())
    })
}

/// Services over a database with roles and grants, and people who are measured.
struct Filled {
    services: Arc<Services>,
    engine: Arc<SqliteEngine>,
}

impl Filled {
    async fn open(file: &Path, roles: usize, users: usize) -> Result<Self, Fault> {
        let engine = Arc::new(SqliteEngine::open(&SqliteOptions::at(SqliteLocation::File(file.to_owned())))?);
        let services = test_services::services(engine.clone()).await?;
        let filled = Self { services, engine };
        filled.make_roles(roles).await?;
        let operator = filled.services.operator_context();
        let mut sample = None;
        for number in 0..CLIENTS {
            let person = test_services::register(&filled.services, number).await?;
            for role in ["role1", "role2", "role3"] {
                let (kind, input) = (GrantKind::Role, GrantInput::default());
                filled.services.grants.grant(&operator, person.user.id, kind, role, &input).await?;
            }
            sample = Some(person.user.id);
        }
        let id = sample.ok_or("nobody is registered")?;
        let sample = filled.services.deps.store.reading().users().find(id).await?.ok_or("nobody is registered")?;
        filled.make_grants(&sample, (users.saturating_sub(CLIENTS), roles)).await?;
        Ok(filled)
    }

    async fn make_roles(&self, roles: usize) -> Result<(), Fault> {
        let now = self.services.deps.clock.now();
        for begin in (0..roles).step_by(PORTION) {
            let made = self.services.deps.store.transact("fill", |mut uow| async move {
                for number in begin..(begin + PORTION).min(roles) {
                    let permissions = vec![format!("service{}.right{number}", number % 50)];
                    let role = Role { name: format!("role{number}"), permissions, version: 1, ..Role::default() };
                    uow.roles().upsert(&role, now).await?;
                }
                uow.commit(()).await
            });
            made.await?;
        }
        Ok(())
    }

    async fn make_grants(&self, sample: &User, (users, roles): (usize, usize)) -> Result<(), Fault> {
        for begin in (0..users).step_by(PORTION) {
            let made: Vec<(User, Grant)> =
                (begin..(begin + PORTION).min(users)).map(|number| another(sample, number % roles)).collect();
            let made = &made;
            let written = self.services.deps.store.transact("fill", |mut uow| async move {
                let mut grants = Vec::with_capacity(made.len());
                for (user, grant) in made {
                    uow.users().insert(user).await?;
                    grants.push(grant.clone());
                }
                uow.grants().upsert_many(&grants).await?;
                uow.commit(()).await
            });
            written.await?;
        }
        Ok(())
    }

    async fn refreshes(&self, time: Duration) -> Result<f64, Fault> {
        self.rate(time, |services, number, begun, done| async move {
            let mut token = sign_in(&services, number).await?;
            while begun.elapsed() < time {
                token = services.sessions.refresh(&context(&services), &token).await?.tokens.refresh_token;
                done.fetch_add(1, Relaxed);
            }
            Ok(())
        })
        .await
    }

    async fn sign_ins(&self, time: Duration) -> Result<f64, Fault> {
        self.rate(time, |services, number, begun, done| async move {
            while begun.elapsed() < time {
                sign_in(&services, number).await?;
                done.fetch_add(1, Relaxed);
            }
            Ok(())
        })
        .await
    }

    /// How often something is done in a second by all clients together.
    async fn rate<F>(
        &self,
        time: Duration,
        client: impl Fn(Arc<Services>, usize, Instant, Arc<AtomicUsize>) -> F,
    ) -> Result<f64, Fault>
    where
        F: Future<Output = Result<(), Fault>> + Send + 'static,
    {
        let (begun, done) = (Instant::now(), Arc::new(AtomicUsize::new(0)));
        let start = |number| tokio::spawn(client(Arc::clone(&self.services), number, begun, Arc::clone(&done)));
        let clients: Vec<_> = (0..CLIENTS).map(start).collect();
        for client in clients {
            client.await??;
        }
        Ok(count(done.load(Relaxed)) / begun.elapsed().max(time).as_secs_f64())
    }

    async fn close(self) {
        userd_storage::Engine::close(self.engine.as_ref()).await;
    }
}

/// Somebody like somebody else, with a grant of a role. Nobody signs in as them.
fn another(sample: &User, role: usize) -> (User, Grant) {
    let id = UserId::mint(&RealRandom);
    let name = format!("role{role}");
    let user = User { id, username: None, email: None, roles: vec![name.clone()], ..sample.clone() };
    let grant = Grant {
        id: GrantId::from_random(RealRandom.id_bytes()),
        user_id: id,
        kind: GrantKind::Role,
        name,
        source: GrantSource::Direct,
        reason: None,
        granted_by: "bench".to_owned(),
        created_at: sample.created_at,
        period: Period::default(),
    };
    (user, grant)
}

/// Signs somebody in who was registered under this number. Their refresh token.
pub(super) async fn sign_in(services: &Services, number: usize) -> Result<String, Fault> {
    let login = Login {
        login: format!("person{number}@bench.example"),
        password: Password::new(PASSWORD.to_owned()),
        device_name: None,
        device_token: None,
    };
    let signed_in =
        services.sessions.login(&context(services), login).await?.signed_in().map_err(|step| step.status)?;
    Ok(signed_in.tokens.refresh_token)
}
