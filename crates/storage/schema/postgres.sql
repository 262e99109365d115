CREATE TABLE IF NOT EXISTS leases (
    name TEXT COLLATE "C" NOT NULL,
    owner UUID NOT NULL,
    epoch BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE IF NOT EXISTS schema_migrations (
    number BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    checksum BYTEA NOT NULL,
    applied_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (number)
);
CREATE TABLE IF NOT EXISTS users (
    id UUID NOT NULL,
    status TEXT COLLATE "C" NOT NULL,
    username TEXT COLLATE "C",
    email_sealed BYTEA,
    email_verified BOOLEAN NOT NULL,
    phone_sealed BYTEA,
    data_key BYTEA,
    display_name TEXT COLLATE "C",
    locale TEXT COLLATE "C",
    time_zone TEXT COLLATE "C",
    attributes JSONB NOT NULL,
    roles JSONB NOT NULL,
    security_epoch BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    last_sign_in_at TIMESTAMPTZ,
    blocked_until TIMESTAMPTZ,
    block_reason BYTEA,
    held JSONB,
    awaits_approval_since TIMESTAMPTZ,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS users_by_created ON users (created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS users_by_status ON users (status ASC, created_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS user_terms (
    user_id UUID NOT NULL,
    slot TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, slot)
);
CREATE INDEX IF NOT EXISTS user_terms_by_value ON user_terms (kind ASC, value ASC, user_id ASC, slot ASC);
CREATE TABLE IF NOT EXISTS claims (
    claim_hash BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    owner_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (claim_hash)
);
CREATE INDEX IF NOT EXISTS claims_by_owner ON claims (owner_id ASC, kind ASC, claim_hash ASC);
CREATE TABLE IF NOT EXISTS password_credentials (
    user_id UUID NOT NULL,
    hash TEXT COLLATE "C" NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    must_change BOOLEAN NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE TABLE IF NOT EXISTS sessions (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    device_name TEXT COLLATE "C",
    user_agent TEXT COLLATE "C",
    ip TEXT COLLATE "C",
    amr JSONB NOT NULL,
    auth_time TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_seen_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    generation BIGINT NOT NULL,
    current_hash BYTEA NOT NULL,
    previous_hash BYTEA,
    successor BYTEA,
    identity_id UUID,
    parties JSONB,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS sessions_by_user ON sessions (user_id ASC, created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS sessions_by_expiry ON sessions (expires_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS signing_keys (
    kid TEXT COLLATE "C" NOT NULL,
    algorithm TEXT COLLATE "C" NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    public_jwk JSONB NOT NULL,
    private_key BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    activated_at TIMESTAMPTZ,
    retired_at TIMESTAMPTZ,
    PRIMARY KEY (kid)
);
CREATE TABLE IF NOT EXISTS system_secrets (
    name TEXT COLLATE "C" NOT NULL,
    sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (name)
);
CREATE TABLE IF NOT EXISTS revocations (
    id UUID NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    recorded_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    what JSONB NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS revocations_by_time ON revocations (scope ASC, recorded_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS revocations_by_expiry ON revocations (expires_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS outbox (
    shard BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    data JSONB NOT NULL,
    public BOOLEAN,
    subject_kind TEXT COLLATE "C",
    subject_id TEXT COLLATE "C",
    number BIGINT,
    actor_kind TEXT COLLATE "C",
    actor_id UUID,
    request_id TEXT COLLATE "C",
    origin BYTEA,
    personal BYTEA,
    PRIMARY KEY (shard, created_at, id)
);
CREATE TABLE IF NOT EXISTS fact_numbers (
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
);
CREATE TABLE IF NOT EXISTS appended_numbers (
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
);
CREATE TABLE IF NOT EXISTS events (
    shard BIGINT NOT NULL,
    position BIGINT NOT NULL,
    id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    number BIGINT NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    data JSONB NOT NULL,
    PRIMARY KEY (shard, position)
);
CREATE INDEX IF NOT EXISTS events_by_expiry ON events (expires_at ASC, shard ASC, position ASC);
CREATE TABLE IF NOT EXISTS event_heads (
    shard BIGINT NOT NULL,
    position BIGINT NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (shard)
);
CREATE TABLE IF NOT EXISTS hourly_counts (
    shard BIGINT NOT NULL,
    hour TIMESTAMPTZ NOT NULL,
    counts JSONB NOT NULL,
    PRIMARY KEY (shard, hour)
);
CREATE TABLE IF NOT EXISTS audit_entries (
    position BIGINT NOT NULL,
    id UUID NOT NULL,
    act TEXT COLLATE "C" NOT NULL,
    actor TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    occurred_at TIMESTAMPTZ NOT NULL,
    entry BYTEA NOT NULL,
    PRIMARY KEY (position)
);
CREATE INDEX IF NOT EXISTS audit_entries_by_id ON audit_entries (id ASC, position ASC);
CREATE INDEX IF NOT EXISTS audit_entries_by_act ON audit_entries (act ASC, position ASC);
CREATE INDEX IF NOT EXISTS audit_entries_by_actor ON audit_entries (actor ASC, position ASC);
CREATE INDEX IF NOT EXISTS audit_entries_by_subject ON audit_entries (subject ASC, position ASC);
CREATE TABLE IF NOT EXISTS audit_tiles (
    level BIGINT NOT NULL,
    number BIGINT NOT NULL,
    hashes BYTEA NOT NULL,
    PRIMARY KEY (level, number)
);
CREATE TABLE IF NOT EXISTS audit_heads (
    log BIGINT NOT NULL,
    origin TEXT COLLATE "C" NOT NULL,
    edge BYTEA NOT NULL,
    PRIMARY KEY (log)
);
CREATE TABLE IF NOT EXISTS audit_checkpoints (
    size BIGINT NOT NULL,
    note TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (size)
);
CREATE TABLE IF NOT EXISTS notifications (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    folder TEXT COLLATE "C" NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    content BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ,
    archived_at TIMESTAMPTZ,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS notifications_by_folder ON notifications (user_id ASC, folder ASC, created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS notifications_by_expiry ON notifications (expires_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS inboxes (
    user_id UUID NOT NULL,
    unread BIGINT NOT NULL,
    unseen BIGINT NOT NULL,
    latest TIMESTAMPTZ NOT NULL,
    seen_until TIMESTAMPTZ NOT NULL,
    seen_at TIMESTAMPTZ NOT NULL,
    read_until TIMESTAMPTZ NOT NULL,
    read_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE TABLE IF NOT EXISTS deliveries (
    id UUID NOT NULL,
    queue BIGINT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    channel TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    webhook_id UUID NOT NULL,
    message_id UUID NOT NULL,
    content BYTEA NOT NULL,
    attempts BIGINT NOT NULL,
    last_error TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    deadline TIMESTAMPTZ NOT NULL,
    finished_at TIMESTAMPTZ,
    remove_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS deliveries_by_due ON deliveries (queue ASC, due_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS deliveries_by_state ON deliveries (state ASC, created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS deliveries_by_removal ON deliveries (remove_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS mails (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    content BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS mails_by_time ON mails (created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS mails_by_expiry ON mails (expires_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS messages (
    id UUID NOT NULL,
    state TEXT COLLATE "C" NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    category TEXT COLLATE "C" NOT NULL,
    audience TEXT COLLATE "C" NOT NULL,
    role TEXT COLLATE "C",
    channels JSONB NOT NULL,
    content BYTEA NOT NULL,
    sender_kind TEXT COLLATE "C" NOT NULL,
    sender_id UUID,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ,
    cursor_at TIMESTAMPTZ,
    cursor_user UUID,
    recipients BIGINT NOT NULL,
    remove_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS messages_by_due ON messages (state ASC, due_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS messages_by_removal ON messages (remove_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS message_counts (
    message_id UUID NOT NULL,
    slot BIGINT NOT NULL,
    counts JSONB NOT NULL,
    remove_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (message_id, slot)
);
CREATE INDEX IF NOT EXISTS message_counts_by_removal ON message_counts (remove_at ASC, message_id ASC, slot ASC);
CREATE TABLE IF NOT EXISTS replay_guard (
    hash BYTEA NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hash)
);
CREATE INDEX IF NOT EXISTS replay_guard_by_expiry ON replay_guard (expires_at ASC, hash ASC);
CREATE TABLE IF NOT EXISTS one_time_tokens (
    hash BYTEA NOT NULL,
    purpose TEXT COLLATE "C" NOT NULL,
    owner_id UUID NOT NULL,
    payload BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hash)
);
CREATE INDEX IF NOT EXISTS one_time_tokens_by_expiry ON one_time_tokens (expires_at ASC, hash ASC);
CREATE INDEX IF NOT EXISTS one_time_tokens_by_owner ON one_time_tokens (owner_id ASC, purpose ASC, hash ASC);
CREATE TABLE IF NOT EXISTS idempotency_keys (
    key_hash BYTEA NOT NULL,
    body_hash BYTEA NOT NULL,
    answer BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (key_hash)
);
CREATE INDEX IF NOT EXISTS idempotency_keys_by_expiry ON idempotency_keys (expires_at ASC, key_hash ASC);
CREATE TABLE IF NOT EXISTS identities (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    provider TEXT COLLATE "C" NOT NULL,
    issuer TEXT COLLATE "C" NOT NULL,
    subject BYTEA NOT NULL,
    profile BYTEA,
    tokens BYTEA,
    client_id TEXT COLLATE "C" NOT NULL,
    bot_access BOOLEAN NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS identities_by_user ON identities (user_id ASC, created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS identities_by_provider ON identities (provider ASC, id ASC);
CREATE TABLE IF NOT EXISTS factors (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C",
    secret BYTEA NOT NULL,
    counter BIGINT NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    last_used_at TIMESTAMPTZ,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS factors_by_user ON factors (user_id ASC, created_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS recovery_codes (
    hash BYTEA NOT NULL,
    user_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (hash)
);
CREATE INDEX IF NOT EXISTS recovery_codes_by_user ON recovery_codes (user_id ASC, hash ASC);
CREATE TABLE IF NOT EXISTS clients (
    id UUID NOT NULL,
    scope TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    secret_hash BYTEA NOT NULL,
    permissions JSONB NOT NULL,
    created_by UUID,
    created_at TIMESTAMPTZ NOT NULL,
    secret_changed_at TIMESTAMPTZ NOT NULL,
    disabled_at TIMESTAMPTZ,
    audiences JSONB,
    version BIGINT,
    permission_prefix TEXT COLLATE "C",
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS clients_by_created ON clients (scope ASC, created_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS roles (
    name TEXT COLLATE "C" NOT NULL,
    permissions JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    rules JSONB,
    managed BOOLEAN,
    version BIGINT,
    PRIMARY KEY (name)
);
CREATE TABLE IF NOT EXISTS permissions (
    name TEXT COLLATE "C" NOT NULL,
    description TEXT COLLATE "C",
    requestable BOOLEAN NOT NULL,
    registered_by TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    managed BOOLEAN,
    PRIMARY KEY (name)
);
CREATE TABLE IF NOT EXISTS grants (
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    id UUID NOT NULL,
    source TEXT COLLATE "C" NOT NULL,
    reason BYTEA,
    granted_by TEXT COLLATE "C" NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    starts_at TIMESTAMPTZ,
    ends_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id, kind, name)
);
CREATE INDEX IF NOT EXISTS grants_by_end ON grants (ends_at ASC, user_id ASC, kind ASC, name ASC);
CREATE TABLE IF NOT EXISTS access_requests (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    action TEXT COLLATE "C" NOT NULL,
    reason BYTEA,
    starts_at TIMESTAMPTZ,
    duration_seconds BIGINT,
    state TEXT COLLATE "C" NOT NULL,
    decisions JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS access_requests_by_user ON access_requests (user_id ASC, created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS access_requests_by_state ON access_requests (state ASC, created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS access_requests_by_expiry ON access_requests (state ASC, expires_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS open_access_requests (
    user_id UUID NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    request_id UUID NOT NULL,
    PRIMARY KEY (user_id, kind, name)
);
CREATE TABLE IF NOT EXISTS access_request_escalations (
    request_id UUID NOT NULL,
    user_id UUID NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (request_id)
);
CREATE INDEX IF NOT EXISTS access_request_escalations_by_due ON access_request_escalations (due_at ASC, request_id ASC);
CREATE TABLE IF NOT EXISTS request_messages (
    request_id UUID NOT NULL,
    user_id UUID NOT NULL,
    message_id BIGINT NOT NULL,
    remove_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (request_id, user_id, message_id)
);
CREATE INDEX IF NOT EXISTS request_messages_by_removal ON request_messages (remove_at ASC, request_id ASC, user_id ASC, message_id ASC);
CREATE TABLE IF NOT EXISTS notification_preferences (
    user_id UUID NOT NULL,
    categories JSONB NOT NULL,
    quiet_from TEXT COLLATE "C",
    quiet_to TEXT COLLATE "C",
    version BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE TABLE IF NOT EXISTS webhooks (
    id UUID NOT NULL,
    url BYTEA NOT NULL,
    events JSONB NOT NULL,
    description TEXT COLLATE "C",
    secret BYTEA NOT NULL,
    previous_secret BYTEA,
    previous_until TIMESTAMPTZ,
    created_by UUID,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    disabled_at TIMESTAMPTZ,
    disabled_reason TEXT COLLATE "C",
    failing_since TIMESTAMPTZ,
    version BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS streams (
    id UUID NOT NULL,
    client_id UUID NOT NULL,
    requested JSONB NOT NULL,
    description TEXT COLLATE "C",
    push BYTEA,
    status TEXT COLLATE "C" NOT NULL,
    reason TEXT COLLATE "C",
    cursor JSONB NOT NULL,
    queued BIGINT NOT NULL,
    verified_at TIMESTAMPTZ,
    failing_since TIMESTAMPTZ,
    attempts BIGINT NOT NULL,
    due_at TIMESTAMPTZ NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (id)
);
CREATE TABLE IF NOT EXISTS stream_signals (
    id UUID NOT NULL,
    stream_id UUID NOT NULL,
    number BIGINT NOT NULL,
    user_id UUID NOT NULL,
    payload JSONB NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS stream_signals_by_number ON stream_signals (stream_id ASC, number ASC, id ASC);
CREATE INDEX IF NOT EXISTS stream_signals_by_expiry ON stream_signals (expires_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS stream_keys (
    kid TEXT COLLATE "C" NOT NULL,
    public_jwk JSONB NOT NULL,
    private_key BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (kid)
);
CREATE TABLE IF NOT EXISTS deletions (
    user_id UUID NOT NULL,
    deleted_by TEXT COLLATE "C" NOT NULL,
    status_before TEXT COLLATE "C" NOT NULL,
    deleted_at TIMESTAMPTZ NOT NULL,
    purge_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE INDEX IF NOT EXISTS deletions_by_purge ON deletions (purge_at ASC, user_id ASC);
CREATE TABLE IF NOT EXISTS invitations (
    id UUID NOT NULL,
    token_hash BYTEA NOT NULL,
    email BYTEA,
    roles JSONB NOT NULL,
    uses BIGINT NOT NULL,
    created_by UUID,
    created_at TIMESTAMPTZ NOT NULL,
    expires_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS invitations_by_token ON invitations (token_hash ASC, id ASC);
CREATE INDEX IF NOT EXISTS invitations_by_created ON invitations (created_at ASC, id ASC);
CREATE INDEX IF NOT EXISTS invitations_by_expiry ON invitations (expires_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS further_emails (
    id UUID NOT NULL,
    user_id UUID NOT NULL,
    email_sealed BYTEA NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX IF NOT EXISTS further_emails_by_user ON further_emails (user_id ASC, created_at ASC, id ASC);
CREATE TABLE IF NOT EXISTS terms_acceptances (
    user_id UUID NOT NULL,
    document TEXT COLLATE "C" NOT NULL,
    version TEXT COLLATE "C" NOT NULL,
    accepted_at TIMESTAMPTZ NOT NULL,
    origin BYTEA,
    PRIMARY KEY (user_id, document, version)
);
CREATE TABLE IF NOT EXISTS legal_holds (
    user_id UUID NOT NULL,
    reason TEXT COLLATE "C",
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE TABLE IF NOT EXISTS tombstones (
    user_id UUID NOT NULL,
    purged_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE TABLE IF NOT EXISTS block_ends (
    user_id UUID NOT NULL,
    ends_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE INDEX IF NOT EXISTS block_ends_by_end ON block_ends (ends_at ASC, user_id ASC);
