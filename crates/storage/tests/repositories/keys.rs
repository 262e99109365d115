//! Round trips: signing keys, secrets of the installation, applied schema steps.

use std::slice;

use userd_model::{KeyState, Sealed, SigningKeyRecord};
use userd_storage::{engine::Dialect, migrations::MIGRATIONS};

use crate::{
    accounts::duplicate,
    samples::{self, moment, word},
    stores::{on_every_engine, on_every_store, transact},
};

#[tokio::test]
async fn a_signing_key_lives_through_its_states_and_goes() {
    on_every_store(async |store| {
        let key = &samples::signing_key();
        transact!(store, uow => uow.signing_keys().insert(key).await?).unwrap();
        assert_eq!(duplicate(transact!(store, uow => uow.signing_keys().insert(key).await?)), "signing_keys");
        assert_eq!(store.reading().signing_keys().find(&key.kid).await.unwrap().as_ref(), Some(key));
        for state in [KeyState::Active, KeyState::Retired, KeyState::Revoked] {
            let changed = &SigningKeyRecord {
                state,
                private_key: Sealed(samples::hash().to_vec()),
                activated_at: Some(moment()),
                retired_at: (state != KeyState::Active).then(moment),
                ..key.clone()
            };
            transact!(store, uow => uow.signing_keys().update(changed).await?).unwrap();
            assert_eq!(store.reading().signing_keys().find(&key.kid).await.unwrap().as_ref(), Some(changed));
            assert!(store.reading().signing_keys().all().await.unwrap().contains(changed));
        }
        transact!(store, uow => uow.signing_keys().remove(&key.kid).await?).unwrap();
        assert_eq!(store.reading().signing_keys().find(&key.kid).await.unwrap(), None);
    })
    .await;
}

#[tokio::test]
async fn the_first_secret_of_a_name_stays_until_it_is_sealed_anew() {
    on_every_store(async |store| {
        let (name, first, second) = (&word(), &Sealed(vec![1; 40]), &Sealed(Vec::new()));
        assert_eq!(store.reading().system_secrets().find(name).await.unwrap(), None);
        transact!(store, uow => uow.system_secrets().insert(name, first, moment()).await?).unwrap();
        let again = transact!(store, uow => uow.system_secrets().insert(name, second, moment()).await?);
        assert_eq!(duplicate(again), "system_secrets");
        assert_eq!(store.reading().system_secrets().find(name).await.unwrap().as_ref(), Some(first));
        transact!(store, uow => uow.system_secrets().update(name, second).await?).unwrap();
        assert_eq!(store.reading().system_secrets().find(name).await.unwrap().as_ref(), Some(second));
        assert!(store.reading().system_secrets().all().await.unwrap().contains(&(name.clone(), second.clone())));
    })
    .await;
}

#[tokio::test]
async fn a_migrated_store_knows_its_steps_in_order() {
    on_every_store(async |store| {
        let applied = store.reading().schema_migrations().all().await.unwrap();
        let known = MIGRATIONS.iter().map(|step| (step.number, step.name));
        assert!(applied.iter().map(|step| (step.number, step.name.as_str())).eq(known), "{applied:?}");
        let again = &applied[0];
        let twice = transact!(store, uow => uow.schema_migrations().insert(slice::from_ref(again)).await?);
        assert_eq!(duplicate(twice), "schema_migrations");
    })
    .await;
}

/// A step that was run and not recorded, because the process died between, is run again.
#[tokio::test]
async fn every_schema_step_can_be_repeated() {
    on_every_engine(async |store| {
        let engine = store.engine();
        for step in MIGRATIONS {
            let text = match engine.dialect() {
                Dialect::Sqlite => step.sqlite,
                Dialect::Postgres | Dialect::Ydb => step.postgres,
            };
            engine.run_schema(text).await.unwrap_or_else(|error| panic!("{}: {error}", step.name));
        }
    })
    .await;
}
