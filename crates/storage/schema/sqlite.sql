CREATE TABLE IF NOT EXISTS leases (
    name TEXT NOT NULL,
    owner BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS schema_migrations (
    number INTEGER NOT NULL,
    name TEXT NOT NULL,
    checksum BLOB NOT NULL,
    applied_at INTEGER NOT NULL,
    PRIMARY KEY (number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS users (
    id BLOB NOT NULL,
    status TEXT NOT NULL,
    username TEXT,
    email_sealed BLOB,
    email_verified INTEGER NOT NULL,
    phone_sealed BLOB,
    data_key BLOB,
    display_name TEXT,
    locale TEXT,
    time_zone TEXT,
    attributes TEXT NOT NULL,
    roles TEXT NOT NULL,
    security_epoch INTEGER NOT NULL,
    version INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    last_sign_in_at INTEGER,
    blocked_until INTEGER,
    block_reason BLOB,
    held TEXT,
    awaits_approval_since INTEGER,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS users_by_created ON users (created_at, id);
CREATE INDEX IF NOT EXISTS users_by_status ON users (status, created_at, id);
CREATE TABLE IF NOT EXISTS user_terms (
    user_id BLOB NOT NULL,
    slot TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (user_id, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS user_terms_by_value ON user_terms (kind, value, user_id, slot);
CREATE TABLE IF NOT EXISTS claims (
    claim_hash BLOB NOT NULL,
    kind TEXT NOT NULL,
    owner_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (claim_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS claims_by_owner ON claims (owner_id, kind, claim_hash);
CREATE TABLE IF NOT EXISTS password_credentials (
    user_id BLOB NOT NULL,
    hash TEXT NOT NULL,
    changed_at INTEGER NOT NULL,
    must_change INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sessions (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    device_name TEXT,
    user_agent TEXT,
    ip TEXT,
    amr TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ended_at INTEGER,
    generation INTEGER NOT NULL,
    current_hash BLOB NOT NULL,
    previous_hash BLOB,
    successor BLOB,
    identity_id BLOB,
    parties TEXT,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_id, created_at, id);
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at, id);
CREATE TABLE IF NOT EXISTS signing_keys (
    kid TEXT NOT NULL,
    algorithm TEXT NOT NULL,
    state TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    activated_at INTEGER,
    retired_at INTEGER,
    PRIMARY KEY (kid)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS system_secrets (
    name TEXT NOT NULL,
    sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS revocations (
    id BLOB NOT NULL,
    scope TEXT NOT NULL,
    recorded_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS revocations_by_time ON revocations (scope, recorded_at, id);
CREATE INDEX IF NOT EXISTS revocations_by_expiry ON revocations (expires_at, id);
CREATE TABLE IF NOT EXISTS outbox (
    shard INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    user_id BLOB NOT NULL,
    data TEXT NOT NULL,
    public INTEGER,
    subject_kind TEXT,
    subject_id TEXT,
    number INTEGER,
    actor_kind TEXT,
    actor_id BLOB,
    request_id TEXT,
    origin BLOB,
    personal BLOB,
    PRIMARY KEY (shard, created_at, id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS fact_numbers (
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    user_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS appended_numbers (
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    user_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS events (
    shard INTEGER NOT NULL,
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    kind TEXT NOT NULL,
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    user_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    occurred_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    data TEXT NOT NULL,
    PRIMARY KEY (shard, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS events_by_expiry ON events (expires_at, shard, position);
CREATE TABLE IF NOT EXISTS event_heads (
    shard INTEGER NOT NULL,
    position INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (shard)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS hourly_counts (
    shard INTEGER NOT NULL,
    hour INTEGER NOT NULL,
    counts TEXT NOT NULL,
    PRIMARY KEY (shard, hour)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit_entries (
    position INTEGER NOT NULL,
    id BLOB NOT NULL,
    act TEXT NOT NULL,
    actor TEXT NOT NULL,
    subject TEXT NOT NULL,
    occurred_at INTEGER NOT NULL,
    entry BLOB NOT NULL,
    PRIMARY KEY (position)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS audit_entries_by_id ON audit_entries (id, position);
CREATE INDEX IF NOT EXISTS audit_entries_by_act ON audit_entries (act, position);
CREATE INDEX IF NOT EXISTS audit_entries_by_actor ON audit_entries (actor, position);
CREATE INDEX IF NOT EXISTS audit_entries_by_subject ON audit_entries (subject, position);
CREATE TABLE IF NOT EXISTS audit_tiles (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit_heads (
    log INTEGER NOT NULL,
    origin TEXT NOT NULL,
    edge BLOB NOT NULL,
    PRIMARY KEY (log)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit_checkpoints (
    size INTEGER NOT NULL,
    note TEXT NOT NULL,
    PRIMARY KEY (size)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS notifications (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    folder TEXT NOT NULL,
    category TEXT NOT NULL,
    content BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    read_at INTEGER,
    archived_at INTEGER,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS notifications_by_folder ON notifications (user_id, folder, created_at, id);
CREATE INDEX IF NOT EXISTS notifications_by_expiry ON notifications (expires_at, id);
CREATE TABLE IF NOT EXISTS inboxes (
    user_id BLOB NOT NULL,
    unread INTEGER NOT NULL,
    unseen INTEGER NOT NULL,
    latest INTEGER NOT NULL,
    seen_until INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    read_until INTEGER NOT NULL,
    read_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deliveries (
    id BLOB NOT NULL,
    queue INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    state TEXT NOT NULL,
    channel TEXT NOT NULL,
    user_id BLOB NOT NULL,
    webhook_id BLOB NOT NULL,
    message_id BLOB NOT NULL,
    content BLOB NOT NULL,
    attempts INTEGER NOT NULL,
    last_error TEXT,
    created_at INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    finished_at INTEGER,
    remove_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (queue, due_at, id);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state, created_at, id);
CREATE INDEX IF NOT EXISTS deliveries_by_removal ON deliveries (remove_at, id);
CREATE TABLE IF NOT EXISTS mails (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    content BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS mails_by_time ON mails (created_at, id);
CREATE INDEX IF NOT EXISTS mails_by_expiry ON mails (expires_at, id);
CREATE TABLE IF NOT EXISTS messages (
    id BLOB NOT NULL,
    state TEXT NOT NULL,
    due_at INTEGER NOT NULL,
    category TEXT NOT NULL,
    audience TEXT NOT NULL,
    role TEXT,
    channels TEXT NOT NULL,
    content BLOB NOT NULL,
    sender_kind TEXT NOT NULL,
    sender_id BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER,
    cursor_at INTEGER,
    cursor_user BLOB,
    recipients INTEGER NOT NULL,
    remove_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS messages_by_due ON messages (state, due_at, id);
CREATE INDEX IF NOT EXISTS messages_by_removal ON messages (remove_at, id);
CREATE TABLE IF NOT EXISTS message_counts (
    message_id BLOB NOT NULL,
    slot INTEGER NOT NULL,
    counts TEXT NOT NULL,
    remove_at INTEGER NOT NULL,
    PRIMARY KEY (message_id, slot)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS message_counts_by_removal ON message_counts (remove_at, message_id, slot);
CREATE TABLE IF NOT EXISTS replay_guard (
    hash BLOB NOT NULL,
    purpose TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS replay_guard_by_expiry ON replay_guard (expires_at, hash);
CREATE TABLE IF NOT EXISTS one_time_tokens (
    hash BLOB NOT NULL,
    purpose TEXT NOT NULL,
    owner_id BLOB NOT NULL,
    payload BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS one_time_tokens_by_expiry ON one_time_tokens (expires_at, hash);
CREATE INDEX IF NOT EXISTS one_time_tokens_by_owner ON one_time_tokens (owner_id, purpose, hash);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key_hash BLOB NOT NULL,
    body_hash BLOB NOT NULL,
    answer BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (key_hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idempotency_keys_by_expiry ON idempotency_keys (expires_at, key_hash);
CREATE TABLE IF NOT EXISTS identities (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    provider TEXT NOT NULL,
    issuer TEXT NOT NULL,
    subject BLOB NOT NULL,
    profile BLOB,
    tokens BLOB,
    client_id TEXT NOT NULL,
    bot_access INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS identities_by_user ON identities (user_id, created_at, id);
CREATE INDEX IF NOT EXISTS identities_by_provider ON identities (provider, id);
CREATE TABLE IF NOT EXISTS factors (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT,
    secret BLOB NOT NULL,
    counter INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS factors_by_user ON factors (user_id, created_at, id);
CREATE TABLE IF NOT EXISTS recovery_codes (
    hash BLOB NOT NULL,
    user_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS recovery_codes_by_user ON recovery_codes (user_id, hash);
CREATE TABLE IF NOT EXISTS clients (
    id BLOB NOT NULL,
    scope TEXT NOT NULL,
    name TEXT NOT NULL,
    secret_hash BLOB NOT NULL,
    permissions TEXT NOT NULL,
    created_by BLOB,
    created_at INTEGER NOT NULL,
    secret_changed_at INTEGER NOT NULL,
    disabled_at INTEGER,
    audiences TEXT,
    version INTEGER,
    permission_prefix TEXT,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS clients_by_created ON clients (scope, created_at, id);
CREATE TABLE IF NOT EXISTS roles (
    name TEXT NOT NULL,
    permissions TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    rules TEXT,
    managed INTEGER,
    version INTEGER,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS permissions (
    name TEXT NOT NULL,
    description TEXT,
    requestable INTEGER NOT NULL,
    registered_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    managed INTEGER,
    PRIMARY KEY (name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS grants (
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    id BLOB NOT NULL,
    source TEXT NOT NULL,
    reason BLOB,
    granted_by TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    starts_at INTEGER,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (user_id, kind, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS grants_by_end ON grants (ends_at, user_id, kind, name);
CREATE TABLE IF NOT EXISTS access_requests (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    action TEXT NOT NULL,
    reason BLOB,
    starts_at INTEGER,
    duration_seconds INTEGER,
    state TEXT NOT NULL,
    decisions TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS access_requests_by_user ON access_requests (user_id, created_at, id);
CREATE INDEX IF NOT EXISTS access_requests_by_state ON access_requests (state, created_at, id);
CREATE INDEX IF NOT EXISTS access_requests_by_expiry ON access_requests (state, expires_at, id);
CREATE TABLE IF NOT EXISTS open_access_requests (
    user_id BLOB NOT NULL,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    request_id BLOB NOT NULL,
    PRIMARY KEY (user_id, kind, name)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS access_request_escalations (
    request_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    due_at INTEGER NOT NULL,
    PRIMARY KEY (request_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS access_request_escalations_by_due ON access_request_escalations (due_at, request_id);
CREATE TABLE IF NOT EXISTS request_messages (
    request_id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    message_id INTEGER NOT NULL,
    remove_at INTEGER NOT NULL,
    PRIMARY KEY (request_id, user_id, message_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS request_messages_by_removal ON request_messages (remove_at, request_id, user_id, message_id);
CREATE TABLE IF NOT EXISTS notification_preferences (
    user_id BLOB NOT NULL,
    categories TEXT NOT NULL,
    quiet_from TEXT,
    quiet_to TEXT,
    version INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS webhooks (
    id BLOB NOT NULL,
    url BLOB NOT NULL,
    events TEXT NOT NULL,
    description TEXT,
    secret BLOB NOT NULL,
    previous_secret BLOB,
    previous_until INTEGER,
    created_by BLOB,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    disabled_at INTEGER,
    disabled_reason TEXT,
    failing_since INTEGER,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS streams (
    id BLOB NOT NULL,
    client_id BLOB NOT NULL,
    requested TEXT NOT NULL,
    description TEXT,
    push BLOB,
    status TEXT NOT NULL,
    reason TEXT,
    cursor TEXT NOT NULL,
    queued INTEGER NOT NULL,
    verified_at INTEGER,
    failing_since INTEGER,
    attempts INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS stream_signals (
    id BLOB NOT NULL,
    stream_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    user_id BLOB NOT NULL,
    payload TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS stream_signals_by_number ON stream_signals (stream_id, number, id);
CREATE INDEX IF NOT EXISTS stream_signals_by_expiry ON stream_signals (expires_at, id);
CREATE TABLE IF NOT EXISTS stream_keys (
    kid TEXT NOT NULL,
    public_jwk TEXT NOT NULL,
    private_key BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (kid)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS deletions (
    user_id BLOB NOT NULL,
    deleted_by TEXT NOT NULL,
    status_before TEXT NOT NULL,
    deleted_at INTEGER NOT NULL,
    purge_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS deletions_by_purge ON deletions (purge_at, user_id);
CREATE TABLE IF NOT EXISTS invitations (
    id BLOB NOT NULL,
    token_hash BLOB NOT NULL,
    email BLOB,
    roles TEXT NOT NULL,
    uses INTEGER NOT NULL,
    created_by BLOB,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS invitations_by_token ON invitations (token_hash, id);
CREATE INDEX IF NOT EXISTS invitations_by_created ON invitations (created_at, id);
CREATE INDEX IF NOT EXISTS invitations_by_expiry ON invitations (expires_at, id);
CREATE TABLE IF NOT EXISTS further_emails (
    id BLOB NOT NULL,
    user_id BLOB NOT NULL,
    email_sealed BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS further_emails_by_user ON further_emails (user_id, created_at, id);
CREATE TABLE IF NOT EXISTS terms_acceptances (
    user_id BLOB NOT NULL,
    document TEXT NOT NULL,
    version TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    origin BLOB,
    PRIMARY KEY (user_id, document, version)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS legal_holds (
    user_id BLOB NOT NULL,
    reason TEXT,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS tombstones (
    user_id BLOB NOT NULL,
    purged_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS block_ends (
    user_id BLOB NOT NULL,
    ends_at INTEGER NOT NULL,
    PRIMARY KEY (user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS block_ends_by_end ON block_ends (ends_at, user_id);
