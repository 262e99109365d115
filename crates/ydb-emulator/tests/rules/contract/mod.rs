//! Rules of YDB: a live cluster must keep them too.

mod histories;
mod indexes;
mod keys;
mod reading;
mod sessions;
mod tables;
mod transactions;
mod types;
