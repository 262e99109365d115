//! One file per table: its statements, its methods and the mapping of its rows. Written once for every engine, over
//! the declarations in `tables`.
//!
//! Deliberately absent: rules (the model decides; a repository stores what it is given), cryptography (sealed bytes
//! pass through), any knowledge of the engine below. Every statement is one of the shapes in
//! `tables/shape.rs`, and `tests/repositories/portable.rs` checks their texts: rows are found by primary key or along a declared index, changed by
//! primary key only, paged by keyset with a row comparison `(a, b) > ($1, $2)`, never by OFFSET. A statement whose
//! name says `upsert` may use `ON CONFLICT (key) DO UPDATE SET`, which is UPSERT on engines that have it. A join is
//! two point reads: one row by its key, another one by its key in a column of the first.

pub mod access_request_escalations;
pub mod access_requests;
pub mod appended_numbers;
pub mod audit_checkpoints;
pub mod audit_entries;
pub mod audit_heads;
pub mod audit_tiles;
pub mod block_ends;
pub mod claims;
pub mod clients;
pub mod copying;
pub mod deletions;
pub mod deliveries;
pub mod event_heads;
pub mod events;
pub mod expiring;
pub mod fact_numbers;
pub mod factors;
pub mod further_emails;
pub mod grants;
pub mod hourly_counts;
pub mod idempotency_keys;
pub mod identities;
pub mod inboxes;
pub mod invitations;
pub mod leases;
pub mod legal_holds;
pub mod mails;
pub mod message_counts;
pub mod messages;
pub mod notification_preferences;
pub mod notifications;
pub mod one_time_tokens;
pub mod open_access_requests;
pub mod outbox;
pub mod owned;
pub mod password_credentials;
pub mod permissions;
pub mod recovery_codes;
pub mod replay_guard;
pub mod request_messages;
pub mod revocations;
pub mod roles;
pub mod schema_migrations;
pub mod sessions;
pub mod signing_keys;
pub mod stream_keys;
pub mod stream_signals;
pub mod streams;
pub mod system_secrets;
pub mod terms_acceptances;
pub mod tombstones;
pub mod user_terms;
pub mod users;
pub mod webhooks;

use serde_json::Value as Json;

use crate::{Call, Row, Rows, Statement, StoreError, UnitOfWork, Value};

macro_rules! repositories {
    ($($(#[$doc:meta])* $module:ident: $name:ident;)+) => {
        impl UnitOfWork {
            $(
                $(#[$doc])*
                #[must_use]
                pub const fn $module(&mut self) -> $module::$name<'_> {
                    $module::$name(self)
                }
            )+
        }

        /// Every statement of every repository, for the tests that run each on each engine and for checking tools.
        pub fn statements() -> impl Iterator<Item = &'static Statement> {
            let own = [$($module::ALL),+].into_iter().flatten().copied();
            own.chain(copying::statements()).chain(expiring::statements()).chain(owned::statements())
        }
    };
}

/// The text of every statement of every repository, for readers.
#[must_use]
pub fn statement_texts() -> String {
    statements().map(|statement| format!("-- {}\n{};\n", statement.name, statement.sql)).collect()
}

repositories! {
    /// Requests of which more people are told later.
    access_request_escalations: AccessRequestEscalations;
    /// Requests for a change of rights.
    access_requests: AccessRequests;
    /// How far the facts of each subject have been passed on.
    appended_numbers: AppendedNumbers;
    /// Signed checkpoints of the audit log.
    audit_checkpoints: AuditCheckpoints;
    /// The audit log.
    audit_entries: AuditEntries;
    /// Where the audit log ends.
    audit_heads: AuditHeads;
    /// The hash tree over the audit log.
    audit_tiles: AuditTiles;
    /// When blocks end by themselves.
    block_ends: BlockEnds;
    /// Who owns which e-mail address, username, phone number or account elsewhere.
    claims: Claims;
    /// Service accounts.
    clients: Clients;
    /// Deleted accounts, until they are restored or erased.
    deletions: Deletions;
    /// Messages on their way.
    deliveries: Deliveries;
    /// Where each shard of the event log ends.
    event_heads: EventHeads;
    /// The event log.
    events: Events;
    /// How many facts there are of each subject.
    fact_numbers: FactNumbers;
    /// Second factors.
    factors: Factors;
    /// Roles and permissions that users hold.
    grants: Grants;
    /// Further proven addresses.
    further_emails: FurtherEmails;
    /// How often what happened in each hour.
    hourly_counts: HourlyCounts;
    /// Saved answers to requests that may come twice.
    idempotency_keys: IdempotencyKeys;
    /// Links between users and accounts elsewhere.
    identities: Identities;
    /// Invitations to register.
    invitations: Invitations;
    /// What is known of each inbox.
    inboxes: Inboxes;
    /// Who may do a job that only one replica may do at a time.
    leases: Leases;
    /// Accounts that may not be erased.
    legal_holds: LegalHolds;
    /// What reaches users how.
    notification_preferences: NotificationPreferences;
    /// The development mailbox.
    mails: Mails;
    /// How many copies of each message are in which state.
    message_counts: Counts;
    /// What other services send to users.
    messages: Messages;
    /// What lies in inboxes.
    notifications: Notifications;
    /// One-time codes, links and what is remembered between the two halves of a sign-in.
    one_time_tokens: OneTimeTokens;
    /// Which open request there is for a thing.
    open_access_requests: OpenAccessRequests;
    /// Facts that have not been passed on yet.
    outbox: Outbox;
    /// Registered words of other services' permissions.
    permissions: Permissions;
    /// Password hashes.
    password_credentials: PasswordCredentials;
    /// Recovery codes.
    recovery_codes: RecoveryCodes;
    /// What may be used once.
    replay_guard: ReplayGuard;
    /// Messages in chats that show a request.
    request_messages: RequestMessages;
    /// The feed of what verifiers must refuse.
    revocations: Revocations;
    /// Roles.
    roles: Roles;
    /// Which schema steps have been applied.
    schema_migrations: SchemaMigrations;
    /// Refresh-token families.
    sessions: Sessions;
    /// Signing keys.
    signing_keys: SigningKeys;
    /// Keys that shared signals are signed with.
    stream_keys: StreamKeys;
    /// Shared signals that wait to be taken.
    stream_signals: StreamSignals;
    /// Streams of shared signals.
    streams: Streams;
    /// Keys of this installation, sealed under the master key.
    system_secrets: SystemSecrets;
    /// By which words accounts are found.
    user_terms: UserTerms;
    /// Documents that users have accepted.
    terms_acceptances: TermsAcceptances;
    /// Accounts that were erased.
    tombstones: Tombstones;
    /// Accounts.
    users: Users;
    /// Webhooks.
    webhooks: Webhooks;
}

/// How many rows a method reads at a time when it has to walk a whole list.
const BATCH: u32 = 500;

/// The most rows that a method without a `limit` answers.
const MOST: u32 = 1000;

type Read<T> = fn(&mut Row) -> Result<T, StoreError>;

impl UnitOfWork {
    /// The first row, if any.
    async fn one<T>(
        &mut self,
        statement: &'static Statement,
        values: &[Value],
        read: Read<T>,
    ) -> Result<Option<T>, StoreError> {
        let rows = self.run(statement, values).await?;
        first_row(statement, Some(rows), read)
    }

    /// The first row of each of two reads that are asked together.
    async fn both<A, B>(
        &mut self,
        (first, first_values, read_first): (&'static Statement, &[Value], Read<A>),
        (second, second_values, read_second): (&'static Statement, &[Value], Read<B>),
    ) -> Result<(Option<A>, Option<B>), StoreError> {
        let calls =
            [Call { statement: first, values: first_values }, Call { statement: second, values: second_values }];
        let mut answers = self.run_together(&calls).await?.into_iter();
        Ok((first_row(first, answers.next(), read_first)?, first_row(second, answers.next(), read_second)?))
    }

    /// All rows.
    async fn many<T>(
        &mut self,
        statement: &'static Statement,
        values: &[Value],
        read: Read<T>,
    ) -> Result<Vec<T>, StoreError> {
        every_row(statement, Some(self.run(statement, values).await?), read)
    }

    /// A write whose failure decides what happens next: never deferred.
    async fn write_now(&mut self, statement: &'static Statement, values: &[Value]) -> Result<(), StoreError> {
        self.run(statement, values).await.map(drop)
    }
}

fn first_row<T>(statement: &Statement, rows: Option<Rows>, read: Read<T>) -> Result<Option<T>, StoreError> {
    let row = rows.into_iter().flatten().next();
    row.map(|mut row| named(statement, read(&mut row))).transpose()
}

fn every_row<T>(statement: &Statement, rows: Option<Rows>, read: Read<T>) -> Result<Vec<T>, StoreError> {
    rows.into_iter().flatten().map(|mut row| named(statement, read(&mut row))).collect()
}

/// Says which statement's row did not make sense.
fn named<T>(statement: &Statement, result: Result<T, StoreError>) -> Result<T, StoreError> {
    result.map_err(|error| match error {
        StoreError::Corrupt(what) => StoreError::Corrupt(format!("{}: {what}", statement.name)),
        other => other,
    })
}

/// A list of words as a JSON array.
fn words(list: &[String]) -> Value {
    Value::Json(Json::from(list))
}

/// The list in a JSON array of words.
fn list(words: Json) -> Result<Vec<String>, StoreError> {
    serde_json::from_value(words).map_err(|error| StoreError::corrupt(format!("a list of words: {error}")))
}

/// A parsed word, or the news that this release does not know it.
fn known<T>(what: &str, value: Option<T>) -> Result<T, StoreError> {
    value.ok_or_else(|| StoreError::corrupt(format!("unknown {what}")))
}
