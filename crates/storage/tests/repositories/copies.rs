//! Copying: every row of every table arrives as it was, in pages, and an interrupted copy goes on where it stopped.

use userd_storage::{
    Row, Store, Value,
    repositories::{
        audit_checkpoints::AuditCheckpointRow,
        audit_heads::AuditHeadRow,
        audit_tiles::AuditTileRow,
        copying::{COPIED, TableCopy},
        leases::Copying,
        legal_holds::LegalHold,
    },
    testing::memory_store,
};

use crate::{
    samples,
    stores::{on_every_engine, transact},
};

/// A few rows in every table.
async fn fill(store: &Store) {
    let users = &[samples::user(), samples::bare_user(), samples::user()];
    let (key, name, now) = (&samples::signing_key(), &samples::word(), samples::moment());
    let role = &userd_model::Role { name: samples::word(), ..userd_model::Role::default() };
    for user in users {
        let (hash, claim) = (samples::hash(), &samples::claim(user.id, "email"));
        let (password, session, identity) =
            (&samples::password(user.id), &samples::session(user.id), &samples::identity(user.id));
        let (client, webhook, fact) =
            (&samples::client(), &samples::webhook(), &samples::fact(userd_model::EventKind::UserChanged, now));
        let (secret, answer) = (&samples::secret(Some(user.id), "code"), &samples::answer());
        let revocations = &samples::revocations(now);
        transact!(store, uow => {
            uow.users().insert(user).await?;
            uow.claims().insert(claim).await?;
            uow.password_credentials().upsert(password).await?;
            uow.notification_preferences().write(user.id, &samples::preferences(), now).await?;
            uow.sessions().insert(session).await?;
            uow.identities().insert(identity).await?;
            uow.factors().insert(&samples::factor(user.id)).await?;
            uow.recovery_codes().replace(user.id, &[samples::recovery_code(user.id)]).await?;
            let by = userd_model::DeletedBy::Owner;
            let window = std::time::Duration::from_secs(100);
            let deletion = userd_model::Deletion::new(user.id, by, user.status, now, window);
            uow.deletions().write(&deletion).await?;
            let reason = Some("case 17".to_owned());
            uow.legal_holds().place(&LegalHold { user_id: user.id, reason, created_at: now }).await?;
            uow.tombstones().place(user.id, now).await?;
            uow.block_ends().place(user.id, now).await?;
            uow.terms_acceptances().write(&samples::acceptance(user.id)).await?;
            uow.further_emails().insert(&samples::further_email(user.id)).await?;
            uow.invitations().insert(&samples::invitation(user.id)).await?;
            uow.grants().upsert_many(&[samples::grant(user.id)]).await?;
            let request = samples::access_request(user.id);
            uow.access_requests().write(&request).await?;
            uow.open_access_requests().insert(&request).await?;
            uow.access_request_escalations().write(&request, now).await?;
            uow.request_messages().write(request.id, (user.id, 7), now).await?;
            uow.clients().insert(client).await?;
            uow.webhooks().insert(webhook).await?;
            let stream = samples::stream();
            uow.stream_signals().write_many(&[samples::queued_signal(stream.id, user.id, 1)]).await?;
            uow.streams().insert(&stream).await?;
            uow.outbox().push(fact).await?;
            let (numbers, head) = (&[(fact.subject.clone(), fact.number)], samples::event_head(fact));
            uow.fact_numbers().write_many(numbers).await?;
            uow.appended_numbers().write_many(numbers).await?;
            uow.events().append_many(&[samples::event(fact, &head)]).await?;
            uow.event_heads().write(&head).await?;
            uow.hourly_counts().write_many(&[samples::hourly_count(fact.at)]).await?;
            let place = samples::moment().micros();
            uow.audit_entries().append_many(&[samples::audit_row(place)]).await?;
            let tile = AuditTileRow { level: 0, number: place, hashes: samples::hash().to_vec() };
            uow.audit_tiles().append_many(&[tile]).await?;
            uow.audit_checkpoints().insert(&AuditCheckpointRow { size: place, note: samples::word() }).await?;
            uow.audit_heads().write(&AuditHeadRow { origin: samples::word(), edge: samples::hash().to_vec() }).await?;
            let (notification, inbox) = samples::notification(user.id, now);
            uow.notifications().insert(&notification).await?;
            uow.inboxes().write(&inbox).await?;
            uow.deliveries().insert_many(&[samples::delivery(user.id, now)]).await?;
            let message = samples::message(user.id, now);
            uow.messages().insert(&message).await?;
            uow.message_counts().write(message.id, 3, &samples::message_counts(), message.remove_at).await?;
            uow.replay_guard().consume_once(&hash, "state", now).await?;
            uow.one_time_tokens().insert(secret).await?;
            uow.idempotency_keys().insert(answer).await?;
            for revocation in revocations {
                uow.revocations().insert(revocation).await?;
            }
        })
        .unwrap();
    }
    transact!(store, uow => {
        uow.signing_keys().insert(key).await?;
        uow.stream_keys().insert(&samples::stream_key()).await?;
        uow.system_secrets().insert(name, &key.private_key, now).await?;
        uow.roles().upsert(role, now).await?;
        uow.permissions().upsert(&samples::registered_permission()).await?;
    })
    .unwrap();
}

/// One portion; answers whether there was one.
async fn copy_portion(copy: &'static TableCopy, from: &Store, to: &Store, limit: u32) -> bool {
    let after = copy.last_key(&mut to.reading()).await.unwrap();
    let rows = &copy.page(&mut from.reading(), after.as_deref(), limit).await.unwrap();
    transact!(to, uow => {
        for row in rows {
            copy.insert(&mut uow, row).await?;
        }
    })
    .unwrap();
    !rows.is_empty()
}

async fn everything(copy: &TableCopy, store: &Store) -> Vec<Vec<Value>> {
    let rows = copy.page(&mut store.reading(), None, 10_000).await.unwrap();
    rows.into_iter().map(|Row(values)| values).collect()
}

#[tokio::test]
async fn a_copy_in_portions_has_every_row_in_the_order_of_keys() {
    on_every_engine(async |store| {
        let target = memory_store().await.unwrap();
        fill(store).await;
        for copy in COPIED.iter() {
            assert_eq!(copy.last_key(&mut target.reading()).await.unwrap(), None, "{}", copy.table.name);
            while copy_portion(copy, store, &target, 2).await {}
            let rows = everything(copy, store).await;
            assert!(!rows.is_empty(), "{} was not filled", copy.table.name);
            assert!(rows == everything(copy, &target).await, "{}", copy.table.name);
            let last = Row(rows.last().unwrap().clone());
            let key = copy.last_key(&mut target.reading()).await.unwrap();
            assert_eq!(key.as_deref(), Some(copy.key(&last).unwrap()), "{}", copy.table.name);
        }
    })
    .await;
}

#[tokio::test]
async fn a_copy_is_unfinished_until_it_is_said_to_have_ended() {
    on_every_engine(async |store| {
        assert_eq!(store.reading().leases().copying().await.unwrap(), None);
        for is_finished in [false, true] {
            let copying = Copying { source: uuid::Uuid::from_u128(7), is_finished };
            transact!(store, uow => uow.leases().mark_copying(copying).await?).unwrap();
            assert_eq!(store.reading().leases().copying().await.unwrap(), Some(copying));
        }
    })
    .await;
}
