//! Every table, declared once, in a file of its own. From a declaration come its statements (`shape.rs`), the schema
//! of each engine (`schema.rs`), its sweeping and copying, and what retention and export must know.
//!
//! Deliberately absent: rows and their meaning (the repositories have them), any engine. Schema steps are written by
//! hand, because they tell how a database came to be; a test compares where they end with what is declared here.

mod gathered;
pub mod schema;
mod shape;
mod sql;
mod table;

pub(crate) use gathered::text;
pub(crate) use outbox::SHARDS as OUTBOX_SHARDS;
pub use shape::{Along, Declared, List, Parameter, Range, Shape};
pub(crate) use shape::{position, statements_of};
pub use table::{Column, Expiry, Index, Owner, Table};

macro_rules! tables {
    ($($module:ident: $table:ident;)+) => {
        $(mod $module;)+
        $(pub use $module::$table;)+

        /// Every table, in the order in which the schema is written and copies are made.
        pub static TABLES: &[&Table] = &[$(&$table),+];
    };
}

tables! {
    leases: LEASES;
    schema_migrations: SCHEMA_MIGRATIONS;
    users: USERS;
    user_terms: USER_TERMS;
    claims: CLAIMS;
    password_credentials: PASSWORD_CREDENTIALS;
    sessions: SESSIONS;
    signing_keys: SIGNING_KEYS;
    system_secrets: SYSTEM_SECRETS;
    revocations: REVOCATIONS;
    outbox: OUTBOX;
    fact_numbers: FACT_NUMBERS;
    appended_numbers: APPENDED_NUMBERS;
    events: EVENTS;
    event_heads: EVENT_HEADS;
    hourly_counts: HOURLY_COUNTS;
    audit_entries: AUDIT_ENTRIES;
    audit_tiles: AUDIT_TILES;
    audit_heads: AUDIT_HEADS;
    audit_checkpoints: AUDIT_CHECKPOINTS;
    notifications: NOTIFICATIONS;
    inboxes: INBOXES;
    deliveries: DELIVERIES;
    mails: MAILS;
    messages: MESSAGES;
    message_counts: MESSAGE_COUNTS;
    replay_guard: REPLAY_GUARD;
    one_time_tokens: ONE_TIME_TOKENS;
    idempotency_keys: IDEMPOTENCY_KEYS;
    identities: IDENTITIES;
    factors: FACTORS;
    recovery_codes: RECOVERY_CODES;
    clients: CLIENTS;
    roles: ROLES;
    permissions: PERMISSIONS;
    grants: GRANTS;
    access_requests: ACCESS_REQUESTS;
    open_access_requests: OPEN_ACCESS_REQUESTS;
    access_request_escalations: ACCESS_REQUEST_ESCALATIONS;
    request_messages: REQUEST_MESSAGES;
    notification_preferences: NOTIFICATION_PREFERENCES;
    webhooks: WEBHOOKS;
    streams: STREAMS;
    stream_signals: STREAM_SIGNALS;
    stream_keys: STREAM_KEYS;
    deletions: DELETIONS;
    invitations: INVITATIONS;
    further_emails: FURTHER_EMAILS;
    terms_acceptances: TERMS_ACCEPTANCES;
    legal_holds: LEGAL_HOLDS;
    tombstones: TOMBSTONES;
    block_ends: BLOCK_ENDS;
}

/// What retention and export must know of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// The table.
    pub table: &'static str,
    /// Whose data its rows are.
    pub owner: Owner,
    /// How they end.
    pub expiry: Expiry,
}

/// Of each table, whose data it holds and how long.
pub fn retention() -> impl Iterator<Item = Retention> {
    TABLES.iter().map(|table| Retention { table: table.name, owner: table.owner, expiry: table.expiry })
}
