//! How often what happened in each hour.

use std::collections::BTreeMap;

use userd_model::Timestamp;

use super::outbox::SHARDS;
use crate::{
    Call, Row, StoreError, UnitOfWork, Value,
    tables::{List, Range, Shape, position, statements_of},
};

/// How often what happened in each hour.
pub struct HourlyCounts<'a>(pub(super) &'a mut UnitOfWork);

/// What one shard counted in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourlyCount {
    /// The shard.
    pub shard: i64,
    /// When the hour begins.
    pub hour: Timestamp,
    /// How often, by kind.
    pub counts: BTreeMap<String, i64>,
}

statements_of! { HOURLY_COUNTS:
    BY_HOUR = "hourly_counts.by_hour": Shape::Find;
    SINCE = "hourly_counts.since": Shape::List(List::by_key().equal(1).range(Range::From));
    UPSERT = "hourly_counts.upsert": Shape::Upsert;
}

impl HourlyCounts<'_> {
    /// What a shard has counted in an hour so far.
    pub async fn find(&mut self, shard: i64, hour: Timestamp) -> Result<Option<HourlyCount>, StoreError> {
        self.0.one(&BY_HOUR, &[shard.into(), hour.into()], count).await
    }

    /// What was counted from an hour on, up to `limit` hours of each shard.
    pub async fn since(&mut self, hour: Timestamp, limit: u32) -> Result<Vec<HourlyCount>, StoreError> {
        let keys: Vec<[Value; 3]> =
            (0..SHARDS).map(|shard| [shard.into(), hour.into(), i64::from(limit).into()]).collect();
        let calls: Vec<Call<'_>> = keys.iter().map(|values| Call { statement: &SINCE, values }).collect();
        let answers = self.0.run_together(&calls).await?;
        answers.into_iter().flatten().map(|mut row| count(&mut row)).collect()
    }

    /// Writes what shards have counted so far.
    pub async fn write_many(&mut self, counts: &[HourlyCount]) -> Result<(), StoreError> {
        let values = |count: &HourlyCount| {
            let numbers =
                count.counts.iter().map(|(kind, number)| (kind.clone(), serde_json::Value::from(*number))).collect();
            vec![count.shard.into(), count.hour.into(), Value::Json(numbers)]
        };
        self.0.write_many(&UPSERT, counts.iter().map(values).collect()).await
    }
}

fn count(row: &mut Row) -> Result<HourlyCount, StoreError> {
    let numbers = row.json(position!(HOURLY_COUNTS.counts))?;
    let counts = serde_json::from_value(numbers).map_err(|_| StoreError::corrupt("counts are no numbers"))?;
    Ok(HourlyCount {
        shard: row.i64(position!(HOURLY_COUNTS.shard))?,
        hour: row.timestamp(position!(HOURLY_COUNTS.hour))?,
        counts,
    })
}
