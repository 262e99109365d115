//! Round trips: the audit log, its tree, its end and its checkpoints.

use userd_storage::repositories::{
    audit_checkpoints::AuditCheckpointRow, audit_entries::AuditOrder, audit_heads::AuditHeadRow,
    audit_tiles::AuditTileRow,
};

use crate::{
    accounts::duplicate,
    samples,
    stores::{on_every_store, transact},
};

#[tokio::test]
async fn entries_are_found_by_position_id_act_actor_and_subject_in_both_directions() {
    on_every_store(async |store| {
        let base = samples::moment().micros();
        let (act, actor, subject) = (samples::word(), samples::word(), samples::word());
        let mut made: Vec<_> = (0..6).map(|n| samples::audit_row(base + n)).collect();
        for n in [1, 3, 4] {
            (made[n].act, made[n].actor, made[n].subject) = (act.clone(), actor.clone(), subject.clone());
        }
        let rows = &made;
        transact!(store, uow => uow.audit_entries().append_many(rows).await?).unwrap();
        let again = &made[..1];
        let refused = transact!(store, uow => uow.audit_entries().append_many(again).await?);
        assert_eq!(duplicate(refused), "audit_entries");
        let mut reading = store.reading();
        let mut entries = reading.audit_entries();
        assert_eq!(entries.find(base + 2).await.unwrap().as_ref(), Some(&made[2]));
        assert_eq!(entries.of_fact(made[5].id).await.unwrap().as_ref(), Some(&made[5]));
        assert_eq!(entries.from(AuditOrder::Whole, base + 1, 2).await.unwrap(), made[1..3]);
        assert_eq!(entries.up_to(AuditOrder::Whole, base + 1, 1).await.unwrap(), made[1..2]);
        for order in [AuditOrder::Act(&act), AuditOrder::Actor(&actor), AuditOrder::Subject(&subject)] {
            let found = entries.from(order, base + 2, 9).await.unwrap();
            assert_eq!(found, [made[3].clone(), made[4].clone()], "{order:?}");
            let found = entries.up_to(order, base + 3, 9).await.unwrap();
            assert_eq!(found, [made[3].clone(), made[1].clone()], "{order:?}");
        }
        let gone = &[base, base + 1];
        transact!(store, uow => uow.audit_entries().remove_many(gone).await?).unwrap();
        assert_eq!(store.reading().audit_entries().find(base).await.unwrap(), None);
        assert_eq!(store.reading().audit_entries().from(AuditOrder::Act(&act), base, 9).await.unwrap(), made[3..5]);
    })
    .await;
}

#[tokio::test]
async fn tiles_and_checkpoints_are_written_once_and_the_end_of_the_log_anew() {
    on_every_store(async |store| {
        let number = samples::moment().micros();
        let tile = |n: i64| AuditTileRow { level: 3, number: number + n, hashes: samples::hash().repeat(16) };
        let note = |n: i64| AuditCheckpointRow { size: number + n, note: samples::word() };
        let (tiles, notes) = (&[tile(0), tile(1), tile(2)], &[note(0), note(1), note(2)]);
        transact!(store, uow => {
            uow.audit_tiles().append_many(tiles).await?;
            for note in notes {
                uow.audit_checkpoints().insert(note).await?;
            }
        })
        .unwrap();
        let again = &tiles[1..2];
        assert_eq!(duplicate(transact!(store, uow => uow.audit_tiles().append_many(again).await?)), "audit_tiles");
        let again = &notes[1];
        assert_eq!(
            duplicate(transact!(store, uow => uow.audit_checkpoints().insert(again).await?)),
            "audit_checkpoints"
        );
        assert_eq!(store.reading().audit_tiles().find(3, number + 1).await.unwrap().as_ref(), Some(&tiles[1]));
        assert_eq!(store.reading().audit_tiles().from(3, number + 1, 2).await.unwrap(), tiles[1..]);
        assert_eq!(store.reading().audit_checkpoints().from(number + 1, 2).await.unwrap(), notes[1..]);
        assert_eq!(store.reading().audit_checkpoints().sizes(number + 1, 2).await.unwrap(), [number + 1, number + 2]);
        let sizes = &[number, number + 1, number + 2];
        transact!(store, uow => uow.audit_checkpoints().remove_many(sizes).await?).unwrap();
        assert!(!store.reading().audit_checkpoints().from(number, 3).await.unwrap().contains(&notes[2]));
        for _ in 0..2 {
            let head = &AuditHeadRow { origin: samples::word(), edge: samples::hash().to_vec() };
            transact!(store, uow => uow.audit_heads().write(head).await?).unwrap();
            assert_eq!(store.reading().audit_heads().find().await.unwrap().as_ref(), Some(head));
        }
    })
    .await;
}
