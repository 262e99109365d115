//! The hash tree over the audit log.

use crate::{
    Row, StoreError, UnitOfWork,
    tables::{List, Range, Shape, position, statements_of},
};

/// The hash tree over the audit log.
pub struct AuditTiles<'a>(pub(super) &'a mut UnitOfWork);

/// Sixteen hashes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditTileRow {
    /// How high in the tree.
    pub level: i64,
    /// Which one of its level.
    pub number: i64,
    /// The hashes, one behind the other.
    pub hashes: Vec<u8>,
}

statements_of! { AUDIT_TILES:
    APPEND = "audit_tiles.append": Shape::Insert;
    BY_PLACE = "audit_tiles.by_place": Shape::Find;
    NEXT = "audit_tiles.next": Shape::List(List::by_key().equal(1).range(Range::From));
}

impl AuditTiles<'_> {
    /// Adds tiles that are full.
    ///
    /// # Errors
    /// `Duplicate(Key("audit_tiles"))` when one is there.
    pub async fn append_many(&mut self, tiles: &[AuditTileRow]) -> Result<(), StoreError> {
        let values = |tile: &AuditTileRow| vec![tile.level.into(), tile.number.into(), tile.hashes.clone().into()];
        self.0.write_many(&APPEND, tiles.iter().map(values).collect()).await
    }

    /// The tile at a place.
    pub async fn find(&mut self, level: i64, number: i64) -> Result<Option<AuditTileRow>, StoreError> {
        self.0.one(&BY_PLACE, &[level.into(), number.into()], tile).await
    }

    /// Up to `limit` tiles of a level from this one on, in order.
    pub async fn from(&mut self, level: i64, number: i64, limit: u32) -> Result<Vec<AuditTileRow>, StoreError> {
        self.0.many(&NEXT, &[level.into(), number.into(), i64::from(limit).into()], tile).await
    }
}

fn tile(row: &mut Row) -> Result<AuditTileRow, StoreError> {
    Ok(AuditTileRow {
        level: row.i64(position!(AUDIT_TILES.level))?,
        number: row.i64(position!(AUDIT_TILES.number))?,
        hashes: row.bytes(position!(AUDIT_TILES.hashes))?,
    })
}
