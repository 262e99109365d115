//! Numbered schema steps: one list, the same numbers and names on every engine, one SQL statement per step and each
//! safe to repeat. Expand and contract: from the first release on, the previous release must run on the new schema
//! (decision 0012).
//!
//! The first two steps make the tables that the runner itself needs (`leases`, `schema_migrations`), so it can run
//! them before it knows what has been applied.

/// One step.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Counts up from 1 without gaps.
    pub number: i64,
    /// What it makes; the file name without its number.
    pub name: &'static str,
    /// The statement for SQLite.
    pub sqlite: &'static str,
    /// The statement for PostgreSQL and engines that speak its protocol.
    pub postgres: &'static str,
}

macro_rules! migration {
    ($number:literal, $digits:literal, $name:literal) => {
        Migration {
            number: $number,
            name: $name,
            sqlite: include_str!(concat!("../migrations/sqlite/", $digits, "_", $name, ".sql")),
            postgres: include_str!(concat!("../migrations/postgres/", $digits, "_", $name, ".sql")),
        }
    };
}

/// Every step, in order. A step that has been released is never edited; add a new one.
pub static MIGRATIONS: &[Migration] = &[
    migration!(1, "0001", "leases"),
    migration!(2, "0002", "schema_migrations"),
    migration!(3, "0003", "users"),
    migration!(4, "0004", "users_by_created"),
    migration!(5, "0005", "claims"),
    migration!(6, "0006", "claims_by_owner"),
    migration!(7, "0007", "password_credentials"),
    migration!(8, "0008", "sessions"),
    migration!(9, "0009", "sessions_by_user"),
    migration!(10, "0010", "sessions_by_expiry"),
    migration!(11, "0011", "signing_keys"),
    migration!(12, "0012", "system_secrets"),
    migration!(13, "0013", "revocations"),
    migration!(14, "0014", "revocations_by_time"),
    migration!(15, "0015", "revocations_by_expiry"),
    migration!(16, "0016", "outbox"),
    migration!(17, "0017", "single_use"),
    migration!(18, "0018", "single_use_by_expiry"),
    migration!(19, "0019", "secrets"),
    migration!(20, "0020", "secrets_by_expiry"),
    migration!(21, "0021", "secrets_by_owner"),
    migration!(22, "0022", "idempotency_keys"),
    migration!(23, "0023", "idempotency_keys_by_expiry"),
    migration!(24, "0024", "identities"),
    migration!(25, "0025", "identities_by_user"),
    migration!(26, "0026", "clients"),
    migration!(27, "0027", "clients_by_created"),
    migration!(28, "0028", "roles"),
    migration!(29, "0029", "one_time_tokens"),
    migration!(30, "0030", "one_time_tokens_by_expiry"),
    migration!(31, "0031", "one_time_tokens_by_owner"),
    migration!(32, "0032", "one_time_tokens_from_secrets"),
    migration!(33, "0033", "drop_secrets"),
    migration!(34, "0034", "replay_guard"),
    migration!(35, "0035", "replay_guard_by_expiry"),
    migration!(36, "0036", "replay_guard_from_single_use"),
    migration!(37, "0037", "drop_single_use"),
    migration!(38, "0038", "outbox_public"),
    migration!(39, "0039", "outbox_subject_kind"),
    migration!(40, "0040", "outbox_subject_id"),
    migration!(41, "0041", "outbox_number"),
    migration!(42, "0042", "outbox_actor_kind"),
    migration!(43, "0043", "outbox_actor_id"),
    migration!(44, "0044", "outbox_request_id"),
    migration!(45, "0045", "outbox_origin"),
    migration!(46, "0046", "outbox_personal"),
    migration!(47, "0047", "fact_numbers"),
    migration!(48, "0048", "sessions_identity"),
    migration!(49, "0049", "appended_numbers"),
    migration!(50, "0050", "events"),
    migration!(51, "0051", "events_by_expiry"),
    migration!(52, "0052", "event_heads"),
    migration!(53, "0053", "sessions_parties"),
    migration!(54, "0054", "notification_preferences"),
    migration!(55, "0055", "notifications"),
    migration!(56, "0056", "notifications_by_folder"),
    migration!(57, "0057", "notifications_by_expiry"),
    migration!(58, "0058", "inboxes"),
    migration!(59, "0059", "deliveries"),
    migration!(60, "0060", "deliveries_by_due"),
    migration!(61, "0061", "deliveries_by_state"),
    migration!(62, "0062", "deliveries_by_removal"),
    migration!(63, "0063", "mails"),
    migration!(64, "0064", "mails_by_time"),
    migration!(65, "0065", "mails_by_expiry"),
    migration!(66, "0066", "webhooks"),
    migration!(67, "0067", "clients_audiences"),
    migration!(68, "0068", "clients_version"),
    migration!(69, "0069", "factors"),
    migration!(70, "0070", "factors_by_user"),
    migration!(71, "0071", "recovery_codes"),
    migration!(72, "0072", "recovery_codes_by_user"),
    migration!(73, "0073", "messages"),
    migration!(74, "0074", "messages_by_due"),
    migration!(75, "0075", "messages_by_removal"),
    migration!(76, "0076", "message_counts"),
    migration!(77, "0077", "message_counts_by_removal"),
    migration!(78, "0078", "users_blocked_until"),
    migration!(79, "0079", "users_block_reason"),
    migration!(80, "0080", "users_by_status"),
    migration!(81, "0081", "identities_by_provider"),
    migration!(82, "0082", "user_terms"),
    migration!(83, "0083", "user_terms_by_value"),
    migration!(84, "0084", "deletions"),
    migration!(85, "0085", "deletions_by_purge"),
    migration!(86, "0086", "legal_holds"),
    migration!(87, "0087", "tombstones"),
    migration!(88, "0088", "audit_entries"),
    migration!(89, "0089", "audit_entries_by_id"),
    migration!(90, "0090", "audit_entries_by_act"),
    migration!(91, "0091", "audit_entries_by_actor"),
    migration!(92, "0092", "audit_entries_by_subject"),
    migration!(93, "0093", "audit_tiles"),
    migration!(94, "0094", "audit_heads"),
    migration!(95, "0095", "audit_checkpoints"),
    migration!(96, "0096", "invitations"),
    migration!(97, "0097", "invitations_by_token"),
    migration!(98, "0098", "invitations_by_created"),
    migration!(99, "0099", "invitations_by_expiry"),
    migration!(100, "0100", "users_held"),
    migration!(101, "0101", "roles_rules"),
    migration!(102, "0102", "roles_managed"),
    migration!(103, "0103", "roles_version"),
    migration!(104, "0104", "permissions"),
    migration!(105, "0105", "grants"),
    migration!(106, "0106", "grants_by_end"),
    migration!(107, "0107", "access_requests"),
    migration!(108, "0108", "access_requests_by_user"),
    migration!(109, "0109", "access_requests_by_state"),
    migration!(110, "0110", "access_requests_by_expiry"),
    migration!(111, "0111", "open_access_requests"),
    migration!(112, "0112", "terms_acceptances"),
    migration!(113, "0113", "further_emails"),
    migration!(114, "0114", "further_emails_by_user"),
    migration!(115, "0115", "users_awaits_approval"),
    migration!(116, "0116", "block_ends"),
    migration!(117, "0117", "block_ends_by_end"),
    migration!(118, "0118", "access_request_escalations"),
    migration!(119, "0119", "access_request_escalations_by_due"),
    migration!(120, "0120", "clients_permission_prefix"),
    migration!(121, "0121", "request_messages"),
    migration!(122, "0122", "request_messages_by_removal"),
    migration!(123, "0123", "hourly_counts"),
    migration!(124, "0124", "streams"),
    migration!(125, "0125", "stream_signals"),
    migration!(126, "0126", "stream_signals_by_number"),
    migration!(127, "0127", "stream_signals_by_expiry"),
    migration!(128, "0128", "stream_keys"),
    migration!(129, "0129", "permissions_managed"),
];

mod checksum;
mod runner;

#[cfg(feature = "testing")]
pub(crate) use runner::record_all;
pub use runner::{MigrationError, MigrationReport, MigrationState, StepState};
pub(crate) use runner::{apply, status};
