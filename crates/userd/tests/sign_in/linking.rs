//! Who a person from elsewhere is here, told as the stories of those who would be somebody else.

use serde_json::{Value, json};
use userd_stand_ins::{Options, TestUser, oidc, oidc::Oidc, yandex, yandex::Yandex};

use crate::{
    browser::Browser,
    fixture::{APP, Fixture, as_person},
    providers,
    support::{Caller, Engine, PASSWORD, TestApp, unique_email},
};

/// Two providers whose addresses count (`corp`, and Yandex for its own domains) and one whose do not (`untrusted`).
struct FakeNetwork {
    fixture: Fixture,
    corp: Oidc,
    yandex: Yandex,
    entries: Value,
}

async fn open(app: &TestApp) -> FakeNetwork {
    let corp = oidc::start(Options::default()).await.unwrap();
    let yandex = yandex::start(Options::default()).await.unwrap();
    let entries = json!([
        providers::oidc("corp", &corp, true),
        providers::oidc("untrusted", &corp, false),
        providers::yandex(&yandex),
    ]);
    let fixture = Fixture::open(&Fixture::address(app), entries.clone()).await;
    FakeNetwork { fixture, corp, yandex, entries }
}

impl FakeNetwork {
    async fn link(&self, caller: &Caller, provider: &str, person: &str) -> crate::browser::Page {
        let mut browser = Browser::new();
        let page = self.fixture.begin_link(&mut browser, caller, provider).await;
        browser.go(&as_person(page, person)).await
    }
}

on_each_engine! {
    /// AC-037: an address alone links nothing: not a proven one to a proven one, and not an unproven one to any.
    /// ASVS V6.8.1
    async fn nobody_is_linked_by_an_address(app: TestApp) {
        let network = open(&app).await;
        let fixture = &network.fixture;
        let ivan = fixture.sign_in("yandex", "ivan").await;
        assert_eq!(fixture.me(&ivan).await["email_verified"], true);

        // The same proven address at another provider: its owner must sign in here and link.
        let mut browser = Browser::new();
        let landed = fixture.sign_in_with(&mut browser, "corp", "ivan").await;
        assert_eq!(landed.error(), "account_exists");
        assert_eq!(fixture.users().await, 1);
        let landed = network.link(&fixture.visitor().with(&ivan), "corp", "ivan").await;
        assert_eq!(landed.param("linked").as_deref(), Some("corp"));
        assert_eq!(fixture.sign_in("corp", "ivan").await.user_id(), ivan.user_id());

        // The same address from a provider whose word does not count: a user of its own, without an address.
        let stranger = fixture.sign_in("untrusted", "ivan").await;
        assert_ne!(stranger.user_id(), ivan.user_id());
        assert_eq!(fixture.me(&stranger).await["email"], Value::Null);
        assert_eq!(fixture.me(&ivan).await["email"], "ivan.petrov@yandex.ru");

        // What the provider calls somebody later changes nothing here.
        network.corp.welcome(
            TestUser { first_name: "Renamed".to_owned(), ..network.corp.person("ivan").unwrap() }
                .with_email("new@example.org", true),
        );
        let again = fixture.sign_in("corp", "ivan").await;
        assert_eq!(again.user_id(), ivan.user_id());
        let me = fixture.me(&again).await;
        assert_eq!((&me["email"], &me["display_name"]), (&json!("ivan.petrov@yandex.ru"), &json!("Иван Петров")));
    }

    /// An account that was made beforehand under somebody's address falls to whoever proves the mailbox, and
    /// whoever made it cannot come back by any way.
    async fn a_squatter_loses_the_account_and_every_way_into_it(app: TestApp) {
        let network = open(&app).await;
        let fixture = &network.fixture;
        let squatter = fixture.visitor().register("ivan.petrov@yandex.ru", PASSWORD).await;
        let landed = network.link(&fixture.visitor().with(&squatter), "untrusted", "zoe").await;
        assert_eq!(landed.param("linked").as_deref(), Some("untrusted"));
        let pending = fixture.sign_in_with(&mut Browser::new(), "untrusted", "zoe").await;

        let ivan = fixture.sign_in("corp", "ivan").await;
        let me = fixture.me(&ivan).await;
        assert_eq!((&me["email"], &me["email_verified"]), (&json!("ivan.petrov@yandex.ru"), &json!(true)));
        assert!(!fixture.visitor().with(&squatter).is_let_in().await, "the squatter's session");
        fixture.visitor().refresh(&squatter.refresh).await.refused(401, "invalid_refresh_token");
        let login = json!({ "login": "ivan.petrov@yandex.ru", "password": PASSWORD });
        fixture.visitor().post("/v1/auth/login", login).await.refused(401, "wrong_credentials");
        fixture.try_exchange(&pending.code(), None).await.refused(422, "invalid_code");
        assert_ne!(fixture.sign_in("untrusted", "zoe").await.user_id(), ivan.user_id(), "the squatter's account elsewhere");
        assert_eq!(fixture.identities(&ivan).await.len(), 1);
    }

    /// An account with a role is never won by an address.
    async fn an_administrators_account_is_not_won(app: TestApp) {
        let network = open(&app).await;
        network.fixture.app.create_admin("ivan.petrov@yandex.ru", PASSWORD).await;
        let landed = network.fixture.sign_in_with(&mut Browser::new(), "corp", "ivan").await;
        assert_eq!(landed.error(), "account_exists");
        network.fixture.visitor().login("ivan.petrov@yandex.ru", PASSWORD).await;
    }

    /// AC-040: who somebody is elsewhere comes from the provider alone, not from what the browser sends along.
    /// AC-041: no field chooses the account.
    async fn nothing_the_caller_sends_chooses_the_account(app: TestApp) {
        let network = open(&app).await;
        let fixture = &network.fixture;
        let victim_email = unique_email();
        let victim = fixture.visitor().register(&victim_email, PASSWORD).await;
        let mut browser = Browser::new();
        let page = fixture.begin(&mut browser, "corp", None).await;
        let back = browser.get(&as_person(page, "oleg")).await.location().unwrap();
        let mut stuffed = back.clone();
        stuffed.query_pairs_mut().extend_pairs([
            ("sub", "friendly"),
            ("id", "424242424242"),
            ("email", &victim_email),
            ("user_id", victim.user_id()),
            ("user", "{\"name\":{\"firstName\":\"Victim\"}}"),
            ("external_user_found", "false"),
            ("link", "true"),
        ]);
        let landed = browser.go(stuffed.as_str()).await;
        let code = landed.code();
        for more in
            [json!({ "code": code, "user_id": victim.user_id() }), json!({ "code": code, "email": victim_email })]
        {
            fixture.visitor().post("/v1/auth/exchange", more).await.expect(400);
        }
        let oleg = fixture.exchange(&landed, None).await;
        assert_ne!(oleg.user_id(), victim.user_id());
        assert!(fixture.identities(&victim).await.is_empty());
        for more in ["user_id", "email", "identity", "login"] {
            let path = format!("/v1/auth/corp/start?{more}={}", victim.user_id());
            fixture.visitor().get(&path).await.refused(400, "invalid_parameter");
        }
        let body = json!({ "return_to": APP, "user_id": victim.user_id() });
        fixture.visitor().with(&oleg).post("/v1/me/identities/untrusted/start", body).await.expect(400);
    }

    /// AC-044: a disabled provider is refused at the start, at the callback and where apps hand proofs over; who came
    /// by it is still there when it is back.
    async fn a_disabled_provider_lets_nobody_in(app: TestApp) {
        let FakeNetwork { fixture, corp: _corp, yandex: _yandex, entries } = open(&app).await;
        let ivan = fixture.sign_in("yandex", "ivan").await;
        let mut browser = Browser::new();
        let page = fixture.begin(&mut browser, "yandex", None).await;
        let back = browser.get(&as_person(page, "ivan")).await.location().unwrap();
        let mut off = entries.clone();
        off[2]["enabled"] = false.into();
        let fixture = fixture.reopen_with(json!({ "providers": off })).await;

        fixture.visitor().get("/v1/auth/yandex/start").await.refused(404, "no_such_provider");
        let landed = browser.go(back.as_str()).await;
        assert_eq!(landed.error(), "no_such_provider");
        fixture
            .visitor()
            .post("/v1/auth/yandex/token", json!({ "access_token": "x" }))
            .await
            .refused(404, "no_such_provider");
        let caller = fixture.visitor().with(&ivan);
        caller.post("/v1/me/identities/yandex/start", json!({})).await.refused(404, "no_such_provider");
        let offered = fixture.visitor().get("/v1/auth/providers").await.expect(200);
        assert!(offered["items"].as_array().unwrap().iter().all(|item| item["id"] != "yandex"));
        assert!(caller.is_let_in().await, "who is signed in stays so");

        let fixture = fixture.reopen_with(json!({ "providers": entries })).await;
        assert_eq!(fixture.sign_in("yandex", "ivan").await.user_id(), ivan.user_id());
    }

    /// Linking belongs to the session that began it, to one account, and never to a sign-in.
    async fn an_account_elsewhere_belongs_to_one_user(app: TestApp) {
        let network = open(&app).await;
        let fixture = &network.fixture;
        let owner = fixture.sign_in("untrusted", "oleg").await;
        let other = fixture.visitor().register(&unique_email(), PASSWORD).await;
        let caller = fixture.visitor().with(&other);
        assert_eq!(network.link(&caller, "untrusted", "oleg").await.error(), "identity_taken");
        assert_eq!(fixture.sign_in("untrusted", "oleg").await.user_id(), owner.user_id());
        // Linking what is linked already changes nothing.
        assert_eq!(
            network.link(&fixture.visitor().with(&owner), "untrusted", "oleg").await.param("linked").as_deref(),
            Some("untrusted")
        );
        assert_eq!(fixture.identities(&owner).await.len(), 1);

        // Signed out between the start and the answer: nothing is linked.
        let mut browser = Browser::new();
        let page = fixture.begin_link(&mut browser, &caller, "untrusted").await;
        caller.poke("/v1/auth/logout").await.expect(204);
        let landed = browser.go(&as_person(page, "maria")).await;
        assert_eq!(landed.error(), "not_signed_in");
        // In another browser neither, and no code comes of a link.
        let other = fixture.visitor().register(&unique_email(), PASSWORD).await;
        let mut browser = Browser::new();
        let page = fixture.begin_link(&mut browser, &fixture.visitor().with(&other), "untrusted").await;
        let landed = Browser::new().go(&as_person(page, "maria")).await;
        assert_eq!(landed.param("error").as_deref(), Some("browser_mismatch"));
        assert!(fixture.identities(&other).await.is_empty());
        // Without being signed in there is nothing to begin.
        fixture.visitor().post("/v1/me/identities/untrusted/start", json!({})).await.refused(401, "not_signed_in");
    }

    /// The last way in stays: a provider that is switched off is none.
    async fn the_last_way_in_cannot_be_unlinked(app: TestApp) {
        let network = open(&app).await;
        let oleg = network.fixture.sign_in("untrusted", "oleg").await;
        network.fixture.unlink(&oleg, "untrusted").await.refused(409, "last_way_in");
        let landed = network.link(&network.fixture.visitor().with(&oleg), "yandex", "oleg").await;
        assert_eq!(landed.param("linked").as_deref(), Some("yandex"));

        let mut off = network.entries.clone();
        off[2]["enabled"] = false.into();
        let FakeNetwork { fixture, corp, yandex, entries } = network;
        let network = FakeNetwork { fixture: fixture.reopen_with(json!({ "providers": off })).await, corp, yandex, entries };
        network.fixture.unlink(&oleg, "untrusted").await.refused(409, "last_way_in");
        // The one that is off may go: it opens nothing.
        network.fixture.unlink(&oleg, "yandex").await.expect(204);
        assert_eq!(network.fixture.sign_in("untrusted", "oleg").await.user_id(), oleg.user_id());
    }

    /// Both ways in are unlinked at the same moment: one stays. One account elsewhere is linked by two users at the
    /// same moment: one has it.
    async fn races_leave_one_way_in_and_one_owner(app: TestApp) {
        let network = open(&app).await;
        let fixture = &network.fixture;
        for round in 0..4 {
            let name = format!("newcomer{round}");
            network.corp.welcome(TestUser::new(&name, 500_000 + round));
            network.yandex.welcome(TestUser::new(&name, 500_000 + round));
            let user = fixture.sign_in("untrusted", &name).await;
            network.link(&fixture.visitor().with(&user), "yandex", &name).await;
            let (one, other) = tokio::join!(fixture.unlink(&user, "untrusted"), fixture.unlink(&user, "yandex"));
            let mut statuses = [one.status, other.status];
            statuses.sort_unstable();
            assert_eq!(statuses, [204, 409], "{} {}", one.text, other.text);
            assert_eq!(fixture.identities(&user).await.len(), 1);
        }
        let mut backs = Vec::new();
        let mut users = Vec::new();
        for _ in 0..4 {
            let user = fixture.visitor().register(&unique_email(), PASSWORD).await;
            let mut browser = Browser::new();
            let page = fixture.begin_link(&mut browser, &fixture.visitor().with(&user), "untrusted").await;
            let back = browser.get(&as_person(page, "oleg")).await.location().unwrap();
            backs.push(async move { browser.go(back.as_str()).await });
            users.push(user);
        }
        let mut racing = tokio::task::JoinSet::new();
        backs.into_iter().for_each(|back| drop(racing.spawn(back)));
        let landed = racing.join_all().await;
        assert_eq!(landed.iter().filter(|page| page.param("linked").is_some()).count(), 1);
        let lost = landed.iter().filter_map(|page| page.param("error"));
        assert!(lost.clone().all(|error| error == "identity_taken"), "{:?}", lost.collect::<Vec<_>>());
        let mut linked = 0;
        for user in &users {
            linked += fixture.identities(user).await.len();
        }
        assert_eq!(linked, 1);
    }

    /// AC-087: a blocked user is told so at the callback, and a code that was on its way is worth nothing.
    async fn a_blocked_user_stays_out(app: TestApp) {
        let network = open(&app).await;
        let fixture = &network.fixture;
        let oleg = fixture.sign_in("untrusted", "oleg").await;
        let on_its_way = fixture.sign_in_with(&mut Browser::new(), "untrusted", "oleg").await;
        fixture.block(oleg.user_id()).await;
        let answer = fixture.try_exchange(&on_its_way.code(), None).await;
        assert!(matches!(answer.status, 403 | 422), "{}", answer.text);
        assert_eq!(fixture.sign_in_with(&mut Browser::new(), "untrusted", "oleg").await.error(), "blocked");
        crate::support::until("the session is dead", std::time::Duration::from_secs(2), async || {
            !fixture.visitor().with(&oleg).is_let_in().await
        })
        .await;
        assert_eq!(fixture.users().await, 1, "no second account comes of it");
    }
}
