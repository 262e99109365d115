-- access_request_escalations.upsert
INSERT INTO access_request_escalations (request_id, user_id, due_at) VALUES ($1, $2, $3) ON CONFLICT (request_id) DO UPDATE SET user_id = excluded.user_id, due_at = excluded.due_at;
-- access_request_escalations.due
SELECT request_id, user_id, due_at FROM access_request_escalations WHERE due_at <= $1 ORDER BY due_at, request_id LIMIT $2;
-- access_request_escalations.remove
DELETE FROM access_request_escalations WHERE request_id = $1;
-- access_requests.upsert
INSERT INTO access_requests (id, user_id, kind, name, action, reason, starts_at, duration_seconds, state, decisions, created_at, expires_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) ON CONFLICT (id) DO UPDATE SET user_id = excluded.user_id, kind = excluded.kind, name = excluded.name, action = excluded.action, reason = excluded.reason, starts_at = excluded.starts_at, duration_seconds = excluded.duration_seconds, state = excluded.state, decisions = excluded.decisions, created_at = excluded.created_at, expires_at = excluded.expires_at, version = excluded.version;
-- access_requests.find
SELECT id, user_id, kind, name, action, reason, starts_at, duration_seconds, state, decisions, created_at, expires_at, version FROM access_requests WHERE id = $1;
-- access_requests.of_user
SELECT id, user_id, kind, name, action, reason, starts_at, duration_seconds, state, decisions, created_at, expires_at, version FROM access_requests WHERE user_id = $1 AND (created_at, id) < ($2, $3) ORDER BY user_id DESC, created_at DESC, id DESC LIMIT $4;
-- access_requests.in_state
SELECT id, user_id, kind, name, action, reason, starts_at, duration_seconds, state, decisions, created_at, expires_at, version FROM access_requests WHERE state = $1 AND (created_at, id) < ($2, $3) ORDER BY state DESC, created_at DESC, id DESC LIMIT $4;
-- access_requests.over
SELECT id, user_id, kind, name, action, reason, starts_at, duration_seconds, state, decisions, created_at, expires_at, version FROM access_requests WHERE state = $1 AND expires_at <= $2 ORDER BY state, expires_at, id LIMIT $3;
-- appended_numbers.by_subject
SELECT subject_kind, subject_id, user_id, number FROM appended_numbers WHERE subject_kind = $1 AND subject_id = $2;
-- appended_numbers.upsert
INSERT INTO appended_numbers (subject_kind, subject_id, user_id, number) VALUES ($1, $2, $3, $4) ON CONFLICT (subject_kind, subject_id) DO UPDATE SET user_id = excluded.user_id, number = excluded.number;
-- audit_checkpoints.insert
INSERT INTO audit_checkpoints (size, note) VALUES ($1, $2);
-- audit_checkpoints.update
UPDATE audit_checkpoints SET note = $1 WHERE size = $2;
-- audit_checkpoints.remove
DELETE FROM audit_checkpoints WHERE size = $1;
-- audit_checkpoints.newest
SELECT size, note FROM audit_checkpoints ORDER BY size DESC LIMIT $1;
-- audit_checkpoints.next
SELECT size, note FROM audit_checkpoints WHERE size >= $1 ORDER BY size LIMIT $2;
-- audit_checkpoints.sizes
SELECT size FROM audit_checkpoints WHERE size >= $1 ORDER BY size LIMIT $2;
-- audit_entries.append
INSERT INTO audit_entries (position, id, act, actor, subject, occurred_at, entry) VALUES ($1, $2, $3, $4, $5, $6, $7);
-- audit_entries.remove
DELETE FROM audit_entries WHERE position = $1;
-- audit_entries.by_position
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE position = $1;
-- audit_entries.by_id
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE id = $1 ORDER BY id, position LIMIT $2;
-- audit_entries.next
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE position >= $1 ORDER BY position LIMIT $2;
-- audit_entries.last
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE position <= $1 ORDER BY position DESC LIMIT $2;
-- audit_entries.next_of_act
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE act = $1 AND position >= $2 ORDER BY act, position LIMIT $3;
-- audit_entries.last_of_act
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE act = $1 AND position <= $2 ORDER BY act DESC, position DESC LIMIT $3;
-- audit_entries.next_of_actor
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE actor = $1 AND position >= $2 ORDER BY actor, position LIMIT $3;
-- audit_entries.last_of_actor
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE actor = $1 AND position <= $2 ORDER BY actor DESC, position DESC LIMIT $3;
-- audit_entries.next_of_subject
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE subject = $1 AND position >= $2 ORDER BY subject, position LIMIT $3;
-- audit_entries.last_of_subject
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE subject = $1 AND position <= $2 ORDER BY subject DESC, position DESC LIMIT $3;
-- audit_heads.find
SELECT log, origin, edge FROM audit_heads WHERE log = $1;
-- audit_heads.upsert
INSERT INTO audit_heads (log, origin, edge) VALUES ($1, $2, $3) ON CONFLICT (log) DO UPDATE SET origin = excluded.origin, edge = excluded.edge;
-- audit_tiles.append
INSERT INTO audit_tiles (level, number, hashes) VALUES ($1, $2, $3);
-- audit_tiles.by_place
SELECT level, number, hashes FROM audit_tiles WHERE level = $1 AND number = $2;
-- audit_tiles.next
SELECT level, number, hashes FROM audit_tiles WHERE level = $1 AND number >= $2 ORDER BY level, number LIMIT $3;
-- block_ends.upsert
INSERT INTO block_ends (user_id, ends_at) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET ends_at = excluded.ends_at;
-- block_ends.remove
DELETE FROM block_ends WHERE user_id = $1;
-- block_ends.due
SELECT user_id, ends_at FROM block_ends WHERE ends_at <= $1 ORDER BY ends_at, user_id LIMIT $2;
-- claims.insert
INSERT INTO claims (claim_hash, kind, owner_id, created_at) VALUES ($1, $2, $3, $4);
-- claims.by_hash
SELECT claim_hash, kind, owner_id, created_at FROM claims WHERE claim_hash = $1;
-- claims.remove
DELETE FROM claims WHERE claim_hash = $1;
-- claims.by_owner
SELECT claim_hash, kind, owner_id, created_at FROM claims WHERE owner_id = $1 ORDER BY owner_id, kind, claim_hash LIMIT $2;
-- clients.insert
INSERT INTO clients (id, scope, name, secret_hash, permissions, created_by, created_at, secret_changed_at, disabled_at, audiences, version, permission_prefix) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
-- clients.by_id
SELECT id, scope, name, secret_hash, permissions, created_by, created_at, secret_changed_at, disabled_at, audiences, version, permission_prefix FROM clients WHERE id = $1;
-- clients.update
UPDATE clients SET name = $1, secret_hash = $2, permissions = $3, secret_changed_at = $4, disabled_at = $5, audiences = $6, version = $7 WHERE id = $8;
-- clients.first_page
SELECT id, scope, name, secret_hash, permissions, created_by, created_at, secret_changed_at, disabled_at, audiences, version, permission_prefix FROM clients WHERE scope = $1 ORDER BY scope, created_at, id LIMIT $2;
-- clients.next_page
SELECT id, scope, name, secret_hash, permissions, created_by, created_at, secret_changed_at, disabled_at, audiences, version, permission_prefix FROM clients WHERE scope = $1 AND (created_at, id) > ($2, $3) ORDER BY scope, created_at, id LIMIT $4;
-- deletions.upsert
INSERT INTO deletions (user_id, deleted_by, status_before, deleted_at, purge_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id) DO UPDATE SET deleted_by = excluded.deleted_by, status_before = excluded.status_before, deleted_at = excluded.deleted_at, purge_at = excluded.purge_at;
-- deletions.by_user
SELECT user_id, deleted_by, status_before, deleted_at, purge_at FROM deletions WHERE user_id = $1;
-- deletions.remove
DELETE FROM deletions WHERE user_id = $1;
-- deletions.update_purge
UPDATE deletions SET purge_at = $1 WHERE user_id = $2;
-- deletions.due
SELECT user_id, deleted_by, status_before, deleted_at, purge_at FROM deletions WHERE purge_at <= $1 ORDER BY purge_at, user_id LIMIT $2;
-- deletions.next_page
SELECT user_id, deleted_by, status_before, deleted_at, purge_at FROM deletions WHERE (purge_at, user_id) > ($1, $2) ORDER BY purge_at, user_id LIMIT $3;
-- deliveries.insert
INSERT INTO deliveries (id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
-- deliveries.by_id
SELECT id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at FROM deliveries WHERE id = $1;
-- deliveries.update
UPDATE deliveries SET queue = $1, due_at = $2, state = $3, attempts = $4, last_error = $5, deadline = $6, finished_at = $7, remove_at = $8 WHERE id = $9;
-- deliveries.due
SELECT id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at FROM deliveries WHERE queue = $1 AND due_at <= $2 ORDER BY queue, due_at, id LIMIT $3;
-- deliveries.newest
SELECT id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at FROM deliveries WHERE state = $1 ORDER BY state DESC, created_at DESC, id DESC LIMIT $2;
-- deliveries.older
SELECT id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at FROM deliveries WHERE state = $1 AND (created_at, id) < ($2, $3) ORDER BY state DESC, created_at DESC, id DESC LIMIT $4;
-- deliveries.oldest
SELECT id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at FROM deliveries WHERE state = $1 ORDER BY state, created_at, id LIMIT $2;
-- event_heads.by_shard
SELECT shard, position, expires_at FROM event_heads WHERE shard = $1;
-- event_heads.all
SELECT shard, position, expires_at FROM event_heads ORDER BY shard;
-- event_heads.upsert
INSERT INTO event_heads (shard, position, expires_at) VALUES ($1, $2, $3) ON CONFLICT (shard) DO UPDATE SET position = excluded.position, expires_at = excluded.expires_at;
-- events.append
INSERT INTO events (shard, position, id, kind, subject_kind, subject_id, user_id, number, occurred_at, expires_at, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
-- events.behind
SELECT shard, position, id, kind, subject_kind, subject_id, user_id, number, occurred_at, expires_at, data FROM events WHERE shard = $1 AND (position) > ($2) ORDER BY shard, position LIMIT $3;
-- fact_numbers.by_subject
SELECT subject_kind, subject_id, user_id, number FROM fact_numbers WHERE subject_kind = $1 AND subject_id = $2;
-- fact_numbers.upsert
INSERT INTO fact_numbers (subject_kind, subject_id, user_id, number) VALUES ($1, $2, $3, $4) ON CONFLICT (subject_kind, subject_id) DO UPDATE SET user_id = excluded.user_id, number = excluded.number;
-- factors.insert
INSERT INTO factors (id, user_id, kind, name, secret, counter, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
-- factors.by_id
SELECT id, user_id, kind, name, secret, counter, created_at, last_used_at FROM factors WHERE id = $1;
-- factors.update
UPDATE factors SET name = $1, secret = $2, counter = $3, last_used_at = $4 WHERE id = $5;
-- factors.by_user
SELECT id, user_id, kind, name, secret, counter, created_at, last_used_at FROM factors WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- factors.remove
DELETE FROM factors WHERE id = $1;
-- grants.upsert
INSERT INTO grants (user_id, kind, name, id, source, reason, granted_by, created_at, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (user_id, kind, name) DO UPDATE SET id = excluded.id, source = excluded.source, reason = excluded.reason, granted_by = excluded.granted_by, created_at = excluded.created_at, starts_at = excluded.starts_at, ends_at = excluded.ends_at;
-- grants.find
SELECT user_id, kind, name, id, source, reason, granted_by, created_at, starts_at, ends_at FROM grants WHERE user_id = $1 AND kind = $2 AND name = $3;
-- grants.of_user
SELECT user_id, kind, name, id, source, reason, granted_by, created_at, starts_at, ends_at FROM grants WHERE user_id = $1 ORDER BY user_id, kind, name LIMIT $2;
-- grants.remove
DELETE FROM grants WHERE user_id = $1 AND kind = $2 AND name = $3;
-- grants.ended
SELECT user_id, kind, name, id, source, reason, granted_by, created_at, starts_at, ends_at FROM grants WHERE ends_at <= $1 ORDER BY ends_at, user_id, kind, name LIMIT $2;
-- grants.ending
SELECT user_id, kind, name, id, source, reason, granted_by, created_at, starts_at, ends_at FROM grants WHERE ends_at >= $1 ORDER BY ends_at, user_id, kind, name LIMIT $2;
-- further_emails.insert
INSERT INTO further_emails (id, user_id, email_sealed, created_at) VALUES ($1, $2, $3, $4);
-- further_emails.of_user
SELECT id, user_id, email_sealed, created_at FROM further_emails WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- further_emails.remove
DELETE FROM further_emails WHERE id = $1;
-- hourly_counts.by_hour
SELECT shard, hour, counts FROM hourly_counts WHERE shard = $1 AND hour = $2;
-- hourly_counts.since
SELECT shard, hour, counts FROM hourly_counts WHERE shard = $1 AND hour >= $2 ORDER BY shard, hour LIMIT $3;
-- hourly_counts.upsert
INSERT INTO hourly_counts (shard, hour, counts) VALUES ($1, $2, $3) ON CONFLICT (shard, hour) DO UPDATE SET counts = excluded.counts;
-- idempotency_keys.by_key
SELECT key_hash, body_hash, answer, created_at, expires_at FROM idempotency_keys WHERE key_hash = $1;
-- idempotency_keys.upsert
INSERT INTO idempotency_keys (key_hash, body_hash, answer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key_hash) DO UPDATE SET body_hash = excluded.body_hash, answer = excluded.answer, created_at = excluded.created_at, expires_at = excluded.expires_at;
-- identities.insert
INSERT INTO identities (id, user_id, provider, issuer, subject, profile, tokens, client_id, bot_access, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
-- identities.by_id
SELECT id, user_id, provider, issuer, subject, profile, tokens, client_id, bot_access, created_at, last_used_at FROM identities WHERE id = $1;
-- identities.update
UPDATE identities SET provider = $1, issuer = $2, subject = $3, profile = $4, tokens = $5, client_id = $6, bot_access = $7, last_used_at = $8 WHERE id = $9;
-- identities.by_user
SELECT id, user_id, provider, issuer, subject, profile, tokens, client_id, bot_access, created_at, last_used_at FROM identities WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- identities.of_provider
SELECT id, user_id, provider, issuer, subject, profile, tokens, client_id, bot_access, created_at, last_used_at FROM identities WHERE provider = $1 AND (id) > ($2) ORDER BY provider, id LIMIT $3;
-- identities.remove
DELETE FROM identities WHERE id = $1;
-- invitations.insert
INSERT INTO invitations (id, token_hash, email, roles, uses, created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
-- invitations.by_id
SELECT id, token_hash, email, roles, uses, created_by, created_at, expires_at FROM invitations WHERE id = $1;
-- invitations.by_token
SELECT id, token_hash, email, roles, uses, created_by, created_at, expires_at FROM invitations WHERE token_hash = $1 ORDER BY token_hash, id LIMIT $2;
-- invitations.update_uses
UPDATE invitations SET uses = $1 WHERE id = $2;
-- invitations.remove
DELETE FROM invitations WHERE id = $1;
-- invitations.page
SELECT id, token_hash, email, roles, uses, created_by, created_at, expires_at FROM invitations WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3;
-- inboxes.by_user
SELECT user_id, unread, unseen, latest, seen_until, seen_at, read_until, read_at FROM inboxes WHERE user_id = $1;
-- inboxes.upsert
INSERT INTO inboxes (user_id, unread, unseen, latest, seen_until, seen_at, read_until, read_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (user_id) DO UPDATE SET unread = excluded.unread, unseen = excluded.unseen, latest = excluded.latest, seen_until = excluded.seen_until, seen_at = excluded.seen_at, read_until = excluded.read_until, read_at = excluded.read_at;
-- leases.by_name
SELECT name, owner, epoch, expires_at FROM leases WHERE name = $1;
-- leases.upsert
INSERT INTO leases (name, owner, epoch, expires_at) VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, expires_at = excluded.expires_at;
-- legal_holds.upsert
INSERT INTO legal_holds (user_id, reason, created_at) VALUES ($1, $2, $3) ON CONFLICT (user_id) DO UPDATE SET reason = excluded.reason, created_at = excluded.created_at;
-- legal_holds.by_user
SELECT user_id, reason, created_at FROM legal_holds WHERE user_id = $1;
-- legal_holds.remove
DELETE FROM legal_holds WHERE user_id = $1;
-- notification_preferences.by_user
SELECT user_id, categories, quiet_from, quiet_to, version, updated_at FROM notification_preferences WHERE user_id = $1;
-- notification_preferences.insert
INSERT INTO notification_preferences (user_id, categories, quiet_from, quiet_to, version, updated_at) VALUES ($1, $2, $3, $4, $5, $6);
-- notification_preferences.update
UPDATE notification_preferences SET categories = $1, quiet_from = $2, quiet_to = $3, version = $4, updated_at = $5 WHERE user_id = $6;
-- mails.insert
INSERT INTO mails (id, user_id, content, created_at, expires_at) VALUES ($1, $2, $3, $4, $5);
-- mails.by_id
SELECT id, user_id, content, created_at, expires_at FROM mails WHERE id = $1;
-- mails.remove
DELETE FROM mails WHERE id = $1;
-- mails.newest
SELECT id, user_id, content, created_at, expires_at FROM mails ORDER BY created_at DESC, id DESC LIMIT $1;
-- mails.newest_ids
SELECT created_at, id FROM mails ORDER BY created_at DESC, id DESC LIMIT $1;
-- message_counts.by_slot
SELECT message_id, slot, counts, remove_at FROM message_counts WHERE message_id = $1 AND slot = $2;
-- message_counts.of_message
SELECT message_id, slot, counts, remove_at FROM message_counts WHERE message_id = $1 ORDER BY message_id, slot LIMIT $2;
-- message_counts.upsert
INSERT INTO message_counts (message_id, slot, counts, remove_at) VALUES ($1, $2, $3, $4) ON CONFLICT (message_id, slot) DO UPDATE SET counts = excluded.counts, remove_at = excluded.remove_at;
-- messages.insert
INSERT INTO messages (id, state, due_at, category, audience, role, channels, content, sender_kind, sender_id, created_at, expires_at, cursor_at, cursor_user, recipients, remove_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);
-- messages.by_id
SELECT id, state, due_at, category, audience, role, channels, content, sender_kind, sender_id, created_at, expires_at, cursor_at, cursor_user, recipients, remove_at FROM messages WHERE id = $1;
-- messages.update
UPDATE messages SET state = $1, cursor_at = $2, cursor_user = $3, recipients = $4 WHERE id = $5;
-- messages.due
SELECT id, state, due_at, category, audience, role, channels, content, sender_kind, sender_id, created_at, expires_at, cursor_at, cursor_user, recipients, remove_at FROM messages WHERE state = $1 AND due_at <= $2 ORDER BY state, due_at, id LIMIT $3;
-- notifications.insert
INSERT INTO notifications (id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);
-- notifications.by_id
SELECT id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at FROM notifications WHERE id = $1;
-- notifications.update
UPDATE notifications SET folder = $1, read_at = $2, archived_at = $3 WHERE id = $4;
-- notifications.remove
DELETE FROM notifications WHERE id = $1;
-- notifications.newest
SELECT id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at FROM notifications WHERE user_id = $1 AND folder = $2 ORDER BY user_id DESC, folder DESC, created_at DESC, id DESC LIMIT $3;
-- notifications.older
SELECT id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at FROM notifications WHERE user_id = $1 AND folder = $2 AND (created_at, id) < ($3, $4) ORDER BY user_id DESC, folder DESC, created_at DESC, id DESC LIMIT $5;
-- notifications.newer
SELECT id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at FROM notifications WHERE user_id = $1 AND folder = $2 AND (created_at, id) > ($3, $4) ORDER BY user_id, folder, created_at, id LIMIT $5;
-- notifications.expired
SELECT id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at FROM notifications WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2;
-- one_time_tokens.insert
INSERT INTO one_time_tokens (hash, purpose, owner_id, payload, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6);
-- one_time_tokens.by_hash
SELECT hash, purpose, owner_id, payload, created_at, expires_at FROM one_time_tokens WHERE hash = $1;
-- one_time_tokens.upsert
INSERT INTO one_time_tokens (hash, purpose, owner_id, payload, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (hash) DO UPDATE SET purpose = excluded.purpose, owner_id = excluded.owner_id, payload = excluded.payload, created_at = excluded.created_at, expires_at = excluded.expires_at;
-- one_time_tokens.update_payload
UPDATE one_time_tokens SET payload = $1 WHERE hash = $2;
-- one_time_tokens.remove
DELETE FROM one_time_tokens WHERE hash = $1;
-- one_time_tokens.by_owner
SELECT hash, purpose, owner_id, payload, created_at, expires_at FROM one_time_tokens WHERE owner_id = $1 ORDER BY owner_id, purpose, hash LIMIT $2;
-- one_time_tokens.by_purpose
SELECT hash, purpose, owner_id, payload, created_at, expires_at FROM one_time_tokens WHERE owner_id = $1 AND purpose = $2 ORDER BY owner_id, purpose, hash LIMIT $3;
-- open_access_requests.insert
INSERT INTO open_access_requests (user_id, kind, name, request_id) VALUES ($1, $2, $3, $4);
-- open_access_requests.find
SELECT user_id, kind, name, request_id FROM open_access_requests WHERE user_id = $1 AND kind = $2 AND name = $3;
-- open_access_requests.remove
DELETE FROM open_access_requests WHERE user_id = $1 AND kind = $2 AND name = $3;
-- outbox.insert
INSERT INTO outbox (shard, created_at, id, kind, user_id, data, public, subject_kind, subject_id, number, actor_kind, actor_id, request_id, origin, personal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
-- outbox.first_page
SELECT shard, created_at, id, kind, user_id, data, public, subject_kind, subject_id, number, actor_kind, actor_id, request_id, origin, personal FROM outbox WHERE shard = $1 ORDER BY shard, created_at, id LIMIT $2;
-- outbox.next_page
SELECT shard, created_at, id, kind, user_id, data, public, subject_kind, subject_id, number, actor_kind, actor_id, request_id, origin, personal FROM outbox WHERE shard = $1 AND (created_at, id) > ($2, $3) ORDER BY shard, created_at, id LIMIT $4;
-- outbox.remove
DELETE FROM outbox WHERE shard = $1 AND created_at = $2 AND id = $3;
-- permissions.upsert
INSERT INTO permissions (name, description, requestable, registered_by, created_at, managed) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (name) DO UPDATE SET description = excluded.description, requestable = excluded.requestable, registered_by = excluded.registered_by, created_at = excluded.created_at, managed = excluded.managed;
-- permissions.find
SELECT name, description, requestable, registered_by, created_at, managed FROM permissions WHERE name = $1;
-- permissions.page
SELECT name, description, requestable, registered_by, created_at, managed FROM permissions WHERE (name) > ($1) ORDER BY name LIMIT $2;
-- permissions.remove
DELETE FROM permissions WHERE name = $1;
-- password_credentials.by_user
SELECT user_id, hash, changed_at, must_change FROM password_credentials WHERE user_id = $1;
-- password_credentials.upsert
INSERT INTO password_credentials (user_id, hash, changed_at, must_change) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at, must_change = excluded.must_change;
-- password_credentials.remove
DELETE FROM password_credentials WHERE user_id = $1;
-- recovery_codes.insert
INSERT INTO recovery_codes (hash, user_id, created_at) VALUES ($1, $2, $3);
-- recovery_codes.by_hash
SELECT hash, user_id, created_at FROM recovery_codes WHERE hash = $1;
-- recovery_codes.by_user
SELECT hash, user_id, created_at FROM recovery_codes WHERE user_id = $1 ORDER BY user_id, hash LIMIT $2;
-- recovery_codes.remove
DELETE FROM recovery_codes WHERE hash = $1;
-- replay_guard.by_hash
SELECT hash, purpose, expires_at FROM replay_guard WHERE hash = $1;
-- replay_guard.insert
INSERT INTO replay_guard (hash, purpose, expires_at) VALUES ($1, $2, $3);
-- request_messages.upsert
INSERT INTO request_messages (request_id, user_id, message_id, remove_at) VALUES ($1, $2, $3, $4) ON CONFLICT (request_id, user_id, message_id) DO UPDATE SET remove_at = excluded.remove_at;
-- request_messages.of_request
SELECT request_id, user_id, message_id, remove_at FROM request_messages WHERE request_id = $1 ORDER BY request_id, user_id, message_id LIMIT $2;
-- revocations.insert
INSERT INTO revocations (id, scope, recorded_at, expires_at, what) VALUES ($1, $2, $3, $4, $5);
-- revocations.since
SELECT id, scope, recorded_at, expires_at, what FROM revocations WHERE scope = $1 AND recorded_at >= $2 ORDER BY scope, recorded_at, id LIMIT $3;
-- revocations.first_page
SELECT id, scope, recorded_at, expires_at, what FROM revocations WHERE scope = $1 ORDER BY scope, recorded_at, id LIMIT $2;
-- revocations.next_page
SELECT id, scope, recorded_at, expires_at, what FROM revocations WHERE scope = $1 AND (recorded_at, id) > ($2, $3) ORDER BY scope, recorded_at, id LIMIT $4;
-- roles.by_name
SELECT name, permissions, created_at, updated_at, rules, managed, version FROM roles WHERE name = $1;
-- roles.page
SELECT name, permissions, created_at, updated_at, rules, managed, version FROM roles WHERE (name) > ($1) ORDER BY name LIMIT $2;
-- roles.insert
INSERT INTO roles (name, permissions, created_at, updated_at, rules, managed, version) VALUES ($1, $2, $3, $4, $5, $6, $7);
-- roles.update
UPDATE roles SET permissions = $1, updated_at = $2, rules = $3, managed = $4, version = $5 WHERE name = $6;
-- roles.remove
DELETE FROM roles WHERE name = $1;
-- schema_migrations.every
SELECT number, name, checksum, applied_at FROM schema_migrations ORDER BY number;
-- schema_migrations.find
SELECT number, name, checksum, applied_at FROM schema_migrations WHERE number = $1;
-- schema_migrations.insert
INSERT INTO schema_migrations (number, name, checksum, applied_at) VALUES ($1, $2, $3, $4);
-- schema_migrations.update_checksum
UPDATE schema_migrations SET checksum = $1 WHERE number = $2;
-- sessions.insert
INSERT INTO sessions (id, user_id, device_name, user_agent, ip, amr, auth_time, created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor, identity_id, parties) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);
-- sessions.by_id
SELECT id, user_id, device_name, user_agent, ip, amr, auth_time, created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor, identity_id, parties FROM sessions WHERE id = $1;
-- sessions.update
UPDATE sessions SET device_name = $1, user_agent = $2, ip = $3, amr = $4, auth_time = $5, last_seen_at = $6, expires_at = $7, ended_at = $8, generation = $9, current_hash = $10, previous_hash = $11, successor = $12, parties = $13 WHERE id = $14;
-- sessions.rotate
UPDATE sessions SET ip = $1, last_seen_at = $2, generation = $3, current_hash = $4, previous_hash = $5, successor = $6, parties = $7 WHERE id = $8;
-- sessions.first_of_user
SELECT id, user_id, device_name, user_agent, ip, amr, auth_time, created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor, identity_id, parties FROM sessions WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- sessions.next_of_user
SELECT id, user_id, device_name, user_agent, ip, amr, auth_time, created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor, identity_id, parties FROM sessions WHERE user_id = $1 AND (created_at, id) > ($2, $3) ORDER BY user_id, created_at, id LIMIT $4;
-- sessions.with_user
SELECT sessions.id, sessions.user_id, sessions.device_name, sessions.user_agent, sessions.ip, sessions.amr, sessions.auth_time, sessions.created_at, sessions.last_seen_at, sessions.expires_at, sessions.ended_at, sessions.generation, sessions.current_hash, sessions.previous_hash, sessions.successor, sessions.identity_id, sessions.parties, users.id, users.status, users.username, users.email_sealed, users.email_verified, users.phone_sealed, users.data_key, users.display_name, users.locale, users.time_zone, users.attributes, users.roles, users.security_epoch, users.version, users.created_at, users.updated_at, users.last_sign_in_at, users.blocked_until, users.block_reason, users.held, users.awaits_approval_since FROM sessions JOIN users ON users.id = sessions.user_id WHERE sessions.id = $1;
-- sessions.remove
DELETE FROM sessions WHERE id = $1;
-- signing_keys.insert
INSERT INTO signing_keys (kid, algorithm, state, public_jwk, private_key, created_at, activated_at, retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
-- signing_keys.every
SELECT kid, algorithm, state, public_jwk, private_key, created_at, activated_at, retired_at FROM signing_keys ORDER BY kid;
-- signing_keys.by_kid
SELECT kid, algorithm, state, public_jwk, private_key, created_at, activated_at, retired_at FROM signing_keys WHERE kid = $1;
-- signing_keys.update
UPDATE signing_keys SET state = $1, private_key = $2, activated_at = $3, retired_at = $4 WHERE kid = $5;
-- signing_keys.remove
DELETE FROM signing_keys WHERE kid = $1;
-- stream_keys.insert
INSERT INTO stream_keys (kid, public_jwk, private_key, created_at) VALUES ($1, $2, $3, $4);
-- stream_keys.every
SELECT kid, public_jwk, private_key, created_at FROM stream_keys ORDER BY kid;
-- stream_keys.remove
DELETE FROM stream_keys WHERE kid = $1;
-- stream_signals.upsert
INSERT INTO stream_signals (id, stream_id, number, user_id, payload, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (id) DO UPDATE SET stream_id = excluded.stream_id, number = excluded.number, user_id = excluded.user_id, payload = excluded.payload, created_at = excluded.created_at, expires_at = excluded.expires_at;
-- stream_signals.by_id
SELECT id, stream_id, number, user_id, payload, created_at, expires_at FROM stream_signals WHERE id = $1;
-- stream_signals.of_stream
SELECT id, stream_id, number, user_id, payload, created_at, expires_at FROM stream_signals WHERE stream_id = $1 ORDER BY stream_id, number, id LIMIT $2;
-- stream_signals.remove
DELETE FROM stream_signals WHERE id = $1;
-- streams.insert
INSERT INTO streams (id, client_id, requested, description, push, status, reason, cursor, queued, verified_at, failing_since, attempts, due_at, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);
-- streams.every
SELECT id, client_id, requested, description, push, status, reason, cursor, queued, verified_at, failing_since, attempts, due_at, created_at, updated_at, version FROM streams ORDER BY id;
-- streams.by_id
SELECT id, client_id, requested, description, push, status, reason, cursor, queued, verified_at, failing_since, attempts, due_at, created_at, updated_at, version FROM streams WHERE id = $1;
-- streams.update
UPDATE streams SET requested = $1, description = $2, push = $3, status = $4, reason = $5, cursor = $6, queued = $7, verified_at = $8, failing_since = $9, attempts = $10, due_at = $11, updated_at = $12, version = $13 WHERE id = $14;
-- streams.remove
DELETE FROM streams WHERE id = $1;
-- system_secrets.by_name
SELECT name, sealed, created_at FROM system_secrets WHERE name = $1;
-- system_secrets.insert
INSERT INTO system_secrets (name, sealed, created_at) VALUES ($1, $2, $3);
-- system_secrets.update
UPDATE system_secrets SET sealed = $1 WHERE name = $2;
-- system_secrets.every
SELECT name, sealed, created_at FROM system_secrets ORDER BY name;
-- user_terms.upsert
INSERT INTO user_terms (user_id, slot, kind, value) VALUES ($1, $2, $3, $4) ON CONFLICT (user_id, slot) DO UPDATE SET kind = excluded.kind, value = excluded.value;
-- user_terms.remove
DELETE FROM user_terms WHERE user_id = $1 AND slot = $2;
-- user_terms.of_user
SELECT user_id, slot, kind, value FROM user_terms WHERE user_id = $1 ORDER BY user_id, slot LIMIT $2;
-- user_terms.behind
SELECT user_id, slot, kind, value FROM user_terms WHERE kind = $1 AND (value, user_id, slot) > ($2, $3, $4) ORDER BY kind, value, user_id, slot LIMIT $5;
-- terms_acceptances.upsert
INSERT INTO terms_acceptances (user_id, document, version, accepted_at, origin) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, document, version) DO UPDATE SET accepted_at = excluded.accepted_at, origin = excluded.origin;
-- terms_acceptances.of_user
SELECT user_id, document, version, accepted_at, origin FROM terms_acceptances WHERE user_id = $1 ORDER BY user_id, document, version LIMIT $2;
-- terms_acceptances.remove
DELETE FROM terms_acceptances WHERE user_id = $1 AND document = $2 AND version = $3;
-- tombstones.upsert
INSERT INTO tombstones (user_id, purged_at) VALUES ($1, $2) ON CONFLICT (user_id) DO UPDATE SET purged_at = excluded.purged_at;
-- tombstones.by_user
SELECT user_id, purged_at FROM tombstones WHERE user_id = $1;
-- users.insert
INSERT INTO users (id, status, username, email_sealed, email_verified, phone_sealed, data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, last_sign_in_at, blocked_until, block_reason, held, awaits_approval_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21);
-- users.by_id
SELECT id, status, username, email_sealed, email_verified, phone_sealed, data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, last_sign_in_at, blocked_until, block_reason, held, awaits_approval_since FROM users WHERE id = $1;
-- users.update
UPDATE users SET status = $1, username = $2, email_sealed = $3, email_verified = $4, phone_sealed = $5, data_key = $6, display_name = $7, locale = $8, time_zone = $9, attributes = $10, roles = $11, security_epoch = $12, version = $13, updated_at = $14, last_sign_in_at = $15, blocked_until = $16, block_reason = $17, held = $18, awaits_approval_since = $19 WHERE id = $20;
-- users.remove
DELETE FROM users WHERE id = $1;
-- users.record_sign_in
UPDATE users SET last_sign_in_at = $1 WHERE id = $2;
-- users.first_page
SELECT id, status, username, email_sealed, email_verified, phone_sealed, data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, last_sign_in_at, blocked_until, block_reason, held, awaits_approval_since FROM users ORDER BY created_at, id LIMIT $1;
-- users.of_status
SELECT id, status, username, email_sealed, email_verified, phone_sealed, data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, last_sign_in_at, blocked_until, block_reason, held, awaits_approval_since FROM users WHERE status = $1 AND (created_at, id) > ($2, $3) ORDER BY status, created_at, id LIMIT $4;
-- users.next_page
SELECT id, status, username, email_sealed, email_verified, phone_sealed, data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, last_sign_in_at, blocked_until, block_reason, held, awaits_approval_since FROM users WHERE (created_at, id) > ($1, $2) ORDER BY created_at, id LIMIT $3;
-- webhooks.insert
INSERT INTO webhooks (id, url, events, description, secret, previous_secret, previous_until, created_by, created_at, updated_at, disabled_at, disabled_reason, failing_since, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);
-- webhooks.every
SELECT id, url, events, description, secret, previous_secret, previous_until, created_by, created_at, updated_at, disabled_at, disabled_reason, failing_since, version FROM webhooks ORDER BY id;
-- webhooks.by_id
SELECT id, url, events, description, secret, previous_secret, previous_until, created_by, created_at, updated_at, disabled_at, disabled_reason, failing_since, version FROM webhooks WHERE id = $1;
-- webhooks.update
UPDATE webhooks SET url = $1, events = $2, description = $3, secret = $4, previous_secret = $5, previous_until = $6, updated_at = $7, disabled_at = $8, disabled_reason = $9, failing_since = $10, version = $11 WHERE id = $12;
-- webhooks.remove
DELETE FROM webhooks WHERE id = $1;
-- users.copy_first_page
SELECT id, status, username, email_sealed, email_verified, phone_sealed, data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, last_sign_in_at, blocked_until, block_reason, held, awaits_approval_since FROM users ORDER BY id LIMIT $1;
-- users.copy_next_page
SELECT id, status, username, email_sealed, email_verified, phone_sealed, data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, last_sign_in_at, blocked_until, block_reason, held, awaits_approval_since FROM users WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- users.copy_last_key
SELECT id FROM users ORDER BY id DESC LIMIT $1;
-- users.copy_insert
INSERT INTO users (id, status, username, email_sealed, email_verified, phone_sealed, data_key, display_name, locale, time_zone, attributes, roles, security_epoch, version, created_at, updated_at, last_sign_in_at, blocked_until, block_reason, held, awaits_approval_since) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21);
-- user_terms.copy_first_page
SELECT user_id, slot, kind, value FROM user_terms ORDER BY user_id, slot LIMIT $1;
-- user_terms.copy_next_page
SELECT user_id, slot, kind, value FROM user_terms WHERE (user_id, slot) > ($1, $2) ORDER BY user_id, slot LIMIT $3;
-- user_terms.copy_last_key
SELECT user_id, slot FROM user_terms ORDER BY user_id DESC, slot DESC LIMIT $1;
-- user_terms.copy_insert
INSERT INTO user_terms (user_id, slot, kind, value) VALUES ($1, $2, $3, $4);
-- claims.copy_first_page
SELECT claim_hash, kind, owner_id, created_at FROM claims ORDER BY claim_hash LIMIT $1;
-- claims.copy_next_page
SELECT claim_hash, kind, owner_id, created_at FROM claims WHERE (claim_hash) > ($1) ORDER BY claim_hash LIMIT $2;
-- claims.copy_last_key
SELECT claim_hash FROM claims ORDER BY claim_hash DESC LIMIT $1;
-- claims.copy_insert
INSERT INTO claims (claim_hash, kind, owner_id, created_at) VALUES ($1, $2, $3, $4);
-- password_credentials.copy_first_page
SELECT user_id, hash, changed_at, must_change FROM password_credentials ORDER BY user_id LIMIT $1;
-- password_credentials.copy_next_page
SELECT user_id, hash, changed_at, must_change FROM password_credentials WHERE (user_id) > ($1) ORDER BY user_id LIMIT $2;
-- password_credentials.copy_last_key
SELECT user_id FROM password_credentials ORDER BY user_id DESC LIMIT $1;
-- password_credentials.copy_insert
INSERT INTO password_credentials (user_id, hash, changed_at, must_change) VALUES ($1, $2, $3, $4);
-- sessions.copy_first_page
SELECT id, user_id, device_name, user_agent, ip, amr, auth_time, created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor, identity_id, parties FROM sessions ORDER BY id LIMIT $1;
-- sessions.copy_next_page
SELECT id, user_id, device_name, user_agent, ip, amr, auth_time, created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor, identity_id, parties FROM sessions WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- sessions.copy_last_key
SELECT id FROM sessions ORDER BY id DESC LIMIT $1;
-- sessions.copy_insert
INSERT INTO sessions (id, user_id, device_name, user_agent, ip, amr, auth_time, created_at, last_seen_at, expires_at, ended_at, generation, current_hash, previous_hash, successor, identity_id, parties) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);
-- signing_keys.copy_first_page
SELECT kid, algorithm, state, public_jwk, private_key, created_at, activated_at, retired_at FROM signing_keys ORDER BY kid LIMIT $1;
-- signing_keys.copy_next_page
SELECT kid, algorithm, state, public_jwk, private_key, created_at, activated_at, retired_at FROM signing_keys WHERE (kid) > ($1) ORDER BY kid LIMIT $2;
-- signing_keys.copy_last_key
SELECT kid FROM signing_keys ORDER BY kid DESC LIMIT $1;
-- signing_keys.copy_insert
INSERT INTO signing_keys (kid, algorithm, state, public_jwk, private_key, created_at, activated_at, retired_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
-- system_secrets.copy_first_page
SELECT name, sealed, created_at FROM system_secrets ORDER BY name LIMIT $1;
-- system_secrets.copy_next_page
SELECT name, sealed, created_at FROM system_secrets WHERE (name) > ($1) ORDER BY name LIMIT $2;
-- system_secrets.copy_last_key
SELECT name FROM system_secrets ORDER BY name DESC LIMIT $1;
-- system_secrets.copy_insert
INSERT INTO system_secrets (name, sealed, created_at) VALUES ($1, $2, $3);
-- revocations.copy_first_page
SELECT id, scope, recorded_at, expires_at, what FROM revocations ORDER BY id LIMIT $1;
-- revocations.copy_next_page
SELECT id, scope, recorded_at, expires_at, what FROM revocations WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- revocations.copy_last_key
SELECT id FROM revocations ORDER BY id DESC LIMIT $1;
-- revocations.copy_insert
INSERT INTO revocations (id, scope, recorded_at, expires_at, what) VALUES ($1, $2, $3, $4, $5);
-- outbox.copy_first_page
SELECT shard, created_at, id, kind, user_id, data, public, subject_kind, subject_id, number, actor_kind, actor_id, request_id, origin, personal FROM outbox ORDER BY shard, created_at, id LIMIT $1;
-- outbox.copy_next_page
SELECT shard, created_at, id, kind, user_id, data, public, subject_kind, subject_id, number, actor_kind, actor_id, request_id, origin, personal FROM outbox WHERE (shard, created_at, id) > ($1, $2, $3) ORDER BY shard, created_at, id LIMIT $4;
-- outbox.copy_last_key
SELECT shard, created_at, id FROM outbox ORDER BY shard DESC, created_at DESC, id DESC LIMIT $1;
-- outbox.copy_insert
INSERT INTO outbox (shard, created_at, id, kind, user_id, data, public, subject_kind, subject_id, number, actor_kind, actor_id, request_id, origin, personal) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
-- fact_numbers.copy_first_page
SELECT subject_kind, subject_id, user_id, number FROM fact_numbers ORDER BY subject_kind, subject_id LIMIT $1;
-- fact_numbers.copy_next_page
SELECT subject_kind, subject_id, user_id, number FROM fact_numbers WHERE (subject_kind, subject_id) > ($1, $2) ORDER BY subject_kind, subject_id LIMIT $3;
-- fact_numbers.copy_last_key
SELECT subject_kind, subject_id FROM fact_numbers ORDER BY subject_kind DESC, subject_id DESC LIMIT $1;
-- fact_numbers.copy_insert
INSERT INTO fact_numbers (subject_kind, subject_id, user_id, number) VALUES ($1, $2, $3, $4);
-- appended_numbers.copy_first_page
SELECT subject_kind, subject_id, user_id, number FROM appended_numbers ORDER BY subject_kind, subject_id LIMIT $1;
-- appended_numbers.copy_next_page
SELECT subject_kind, subject_id, user_id, number FROM appended_numbers WHERE (subject_kind, subject_id) > ($1, $2) ORDER BY subject_kind, subject_id LIMIT $3;
-- appended_numbers.copy_last_key
SELECT subject_kind, subject_id FROM appended_numbers ORDER BY subject_kind DESC, subject_id DESC LIMIT $1;
-- appended_numbers.copy_insert
INSERT INTO appended_numbers (subject_kind, subject_id, user_id, number) VALUES ($1, $2, $3, $4);
-- events.copy_first_page
SELECT shard, position, id, kind, subject_kind, subject_id, user_id, number, occurred_at, expires_at, data FROM events ORDER BY shard, position LIMIT $1;
-- events.copy_next_page
SELECT shard, position, id, kind, subject_kind, subject_id, user_id, number, occurred_at, expires_at, data FROM events WHERE (shard, position) > ($1, $2) ORDER BY shard, position LIMIT $3;
-- events.copy_last_key
SELECT shard, position FROM events ORDER BY shard DESC, position DESC LIMIT $1;
-- events.copy_insert
INSERT INTO events (shard, position, id, kind, subject_kind, subject_id, user_id, number, occurred_at, expires_at, data) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
-- event_heads.copy_first_page
SELECT shard, position, expires_at FROM event_heads ORDER BY shard LIMIT $1;
-- event_heads.copy_next_page
SELECT shard, position, expires_at FROM event_heads WHERE (shard) > ($1) ORDER BY shard LIMIT $2;
-- event_heads.copy_last_key
SELECT shard FROM event_heads ORDER BY shard DESC LIMIT $1;
-- event_heads.copy_insert
INSERT INTO event_heads (shard, position, expires_at) VALUES ($1, $2, $3);
-- hourly_counts.copy_first_page
SELECT shard, hour, counts FROM hourly_counts ORDER BY shard, hour LIMIT $1;
-- hourly_counts.copy_next_page
SELECT shard, hour, counts FROM hourly_counts WHERE (shard, hour) > ($1, $2) ORDER BY shard, hour LIMIT $3;
-- hourly_counts.copy_last_key
SELECT shard, hour FROM hourly_counts ORDER BY shard DESC, hour DESC LIMIT $1;
-- hourly_counts.copy_insert
INSERT INTO hourly_counts (shard, hour, counts) VALUES ($1, $2, $3);
-- audit_entries.copy_first_page
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries ORDER BY position LIMIT $1;
-- audit_entries.copy_next_page
SELECT position, id, act, actor, subject, occurred_at, entry FROM audit_entries WHERE (position) > ($1) ORDER BY position LIMIT $2;
-- audit_entries.copy_last_key
SELECT position FROM audit_entries ORDER BY position DESC LIMIT $1;
-- audit_entries.copy_insert
INSERT INTO audit_entries (position, id, act, actor, subject, occurred_at, entry) VALUES ($1, $2, $3, $4, $5, $6, $7);
-- audit_tiles.copy_first_page
SELECT level, number, hashes FROM audit_tiles ORDER BY level, number LIMIT $1;
-- audit_tiles.copy_next_page
SELECT level, number, hashes FROM audit_tiles WHERE (level, number) > ($1, $2) ORDER BY level, number LIMIT $3;
-- audit_tiles.copy_last_key
SELECT level, number FROM audit_tiles ORDER BY level DESC, number DESC LIMIT $1;
-- audit_tiles.copy_insert
INSERT INTO audit_tiles (level, number, hashes) VALUES ($1, $2, $3);
-- audit_heads.copy_first_page
SELECT log, origin, edge FROM audit_heads ORDER BY log LIMIT $1;
-- audit_heads.copy_next_page
SELECT log, origin, edge FROM audit_heads WHERE (log) > ($1) ORDER BY log LIMIT $2;
-- audit_heads.copy_last_key
SELECT log FROM audit_heads ORDER BY log DESC LIMIT $1;
-- audit_heads.copy_insert
INSERT INTO audit_heads (log, origin, edge) VALUES ($1, $2, $3);
-- audit_checkpoints.copy_first_page
SELECT size, note FROM audit_checkpoints ORDER BY size LIMIT $1;
-- audit_checkpoints.copy_next_page
SELECT size, note FROM audit_checkpoints WHERE (size) > ($1) ORDER BY size LIMIT $2;
-- audit_checkpoints.copy_last_key
SELECT size FROM audit_checkpoints ORDER BY size DESC LIMIT $1;
-- audit_checkpoints.copy_insert
INSERT INTO audit_checkpoints (size, note) VALUES ($1, $2);
-- notifications.copy_first_page
SELECT id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at FROM notifications ORDER BY id LIMIT $1;
-- notifications.copy_next_page
SELECT id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at FROM notifications WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- notifications.copy_last_key
SELECT id FROM notifications ORDER BY id DESC LIMIT $1;
-- notifications.copy_insert
INSERT INTO notifications (id, user_id, folder, category, content, created_at, expires_at, read_at, archived_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);
-- inboxes.copy_first_page
SELECT user_id, unread, unseen, latest, seen_until, seen_at, read_until, read_at FROM inboxes ORDER BY user_id LIMIT $1;
-- inboxes.copy_next_page
SELECT user_id, unread, unseen, latest, seen_until, seen_at, read_until, read_at FROM inboxes WHERE (user_id) > ($1) ORDER BY user_id LIMIT $2;
-- inboxes.copy_last_key
SELECT user_id FROM inboxes ORDER BY user_id DESC LIMIT $1;
-- inboxes.copy_insert
INSERT INTO inboxes (user_id, unread, unseen, latest, seen_until, seen_at, read_until, read_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
-- deliveries.copy_first_page
SELECT id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at FROM deliveries ORDER BY id LIMIT $1;
-- deliveries.copy_next_page
SELECT id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at FROM deliveries WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- deliveries.copy_last_key
SELECT id FROM deliveries ORDER BY id DESC LIMIT $1;
-- deliveries.copy_insert
INSERT INTO deliveries (id, queue, due_at, state, channel, user_id, webhook_id, message_id, content, attempts, last_error, created_at, deadline, finished_at, remove_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15);
-- messages.copy_first_page
SELECT id, state, due_at, category, audience, role, channels, content, sender_kind, sender_id, created_at, expires_at, cursor_at, cursor_user, recipients, remove_at FROM messages ORDER BY id LIMIT $1;
-- messages.copy_next_page
SELECT id, state, due_at, category, audience, role, channels, content, sender_kind, sender_id, created_at, expires_at, cursor_at, cursor_user, recipients, remove_at FROM messages WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- messages.copy_last_key
SELECT id FROM messages ORDER BY id DESC LIMIT $1;
-- messages.copy_insert
INSERT INTO messages (id, state, due_at, category, audience, role, channels, content, sender_kind, sender_id, created_at, expires_at, cursor_at, cursor_user, recipients, remove_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);
-- message_counts.copy_first_page
SELECT message_id, slot, counts, remove_at FROM message_counts ORDER BY message_id, slot LIMIT $1;
-- message_counts.copy_next_page
SELECT message_id, slot, counts, remove_at FROM message_counts WHERE (message_id, slot) > ($1, $2) ORDER BY message_id, slot LIMIT $3;
-- message_counts.copy_last_key
SELECT message_id, slot FROM message_counts ORDER BY message_id DESC, slot DESC LIMIT $1;
-- message_counts.copy_insert
INSERT INTO message_counts (message_id, slot, counts, remove_at) VALUES ($1, $2, $3, $4);
-- replay_guard.copy_first_page
SELECT hash, purpose, expires_at FROM replay_guard ORDER BY hash LIMIT $1;
-- replay_guard.copy_next_page
SELECT hash, purpose, expires_at FROM replay_guard WHERE (hash) > ($1) ORDER BY hash LIMIT $2;
-- replay_guard.copy_last_key
SELECT hash FROM replay_guard ORDER BY hash DESC LIMIT $1;
-- replay_guard.copy_insert
INSERT INTO replay_guard (hash, purpose, expires_at) VALUES ($1, $2, $3);
-- one_time_tokens.copy_first_page
SELECT hash, purpose, owner_id, payload, created_at, expires_at FROM one_time_tokens ORDER BY hash LIMIT $1;
-- one_time_tokens.copy_next_page
SELECT hash, purpose, owner_id, payload, created_at, expires_at FROM one_time_tokens WHERE (hash) > ($1) ORDER BY hash LIMIT $2;
-- one_time_tokens.copy_last_key
SELECT hash FROM one_time_tokens ORDER BY hash DESC LIMIT $1;
-- one_time_tokens.copy_insert
INSERT INTO one_time_tokens (hash, purpose, owner_id, payload, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6);
-- idempotency_keys.copy_first_page
SELECT key_hash, body_hash, answer, created_at, expires_at FROM idempotency_keys ORDER BY key_hash LIMIT $1;
-- idempotency_keys.copy_next_page
SELECT key_hash, body_hash, answer, created_at, expires_at FROM idempotency_keys WHERE (key_hash) > ($1) ORDER BY key_hash LIMIT $2;
-- idempotency_keys.copy_last_key
SELECT key_hash FROM idempotency_keys ORDER BY key_hash DESC LIMIT $1;
-- idempotency_keys.copy_insert
INSERT INTO idempotency_keys (key_hash, body_hash, answer, created_at, expires_at) VALUES ($1, $2, $3, $4, $5);
-- identities.copy_first_page
SELECT id, user_id, provider, issuer, subject, profile, tokens, client_id, bot_access, created_at, last_used_at FROM identities ORDER BY id LIMIT $1;
-- identities.copy_next_page
SELECT id, user_id, provider, issuer, subject, profile, tokens, client_id, bot_access, created_at, last_used_at FROM identities WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- identities.copy_last_key
SELECT id FROM identities ORDER BY id DESC LIMIT $1;
-- identities.copy_insert
INSERT INTO identities (id, user_id, provider, issuer, subject, profile, tokens, client_id, bot_access, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11);
-- factors.copy_first_page
SELECT id, user_id, kind, name, secret, counter, created_at, last_used_at FROM factors ORDER BY id LIMIT $1;
-- factors.copy_next_page
SELECT id, user_id, kind, name, secret, counter, created_at, last_used_at FROM factors WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- factors.copy_last_key
SELECT id FROM factors ORDER BY id DESC LIMIT $1;
-- factors.copy_insert
INSERT INTO factors (id, user_id, kind, name, secret, counter, created_at, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
-- recovery_codes.copy_first_page
SELECT hash, user_id, created_at FROM recovery_codes ORDER BY hash LIMIT $1;
-- recovery_codes.copy_next_page
SELECT hash, user_id, created_at FROM recovery_codes WHERE (hash) > ($1) ORDER BY hash LIMIT $2;
-- recovery_codes.copy_last_key
SELECT hash FROM recovery_codes ORDER BY hash DESC LIMIT $1;
-- recovery_codes.copy_insert
INSERT INTO recovery_codes (hash, user_id, created_at) VALUES ($1, $2, $3);
-- clients.copy_first_page
SELECT id, scope, name, secret_hash, permissions, created_by, created_at, secret_changed_at, disabled_at, audiences, version, permission_prefix FROM clients ORDER BY id LIMIT $1;
-- clients.copy_next_page
SELECT id, scope, name, secret_hash, permissions, created_by, created_at, secret_changed_at, disabled_at, audiences, version, permission_prefix FROM clients WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- clients.copy_last_key
SELECT id FROM clients ORDER BY id DESC LIMIT $1;
-- clients.copy_insert
INSERT INTO clients (id, scope, name, secret_hash, permissions, created_by, created_at, secret_changed_at, disabled_at, audiences, version, permission_prefix) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12);
-- roles.copy_first_page
SELECT name, permissions, created_at, updated_at, rules, managed, version FROM roles ORDER BY name LIMIT $1;
-- roles.copy_next_page
SELECT name, permissions, created_at, updated_at, rules, managed, version FROM roles WHERE (name) > ($1) ORDER BY name LIMIT $2;
-- roles.copy_last_key
SELECT name FROM roles ORDER BY name DESC LIMIT $1;
-- roles.copy_insert
INSERT INTO roles (name, permissions, created_at, updated_at, rules, managed, version) VALUES ($1, $2, $3, $4, $5, $6, $7);
-- permissions.copy_first_page
SELECT name, description, requestable, registered_by, created_at, managed FROM permissions ORDER BY name LIMIT $1;
-- permissions.copy_next_page
SELECT name, description, requestable, registered_by, created_at, managed FROM permissions WHERE (name) > ($1) ORDER BY name LIMIT $2;
-- permissions.copy_last_key
SELECT name FROM permissions ORDER BY name DESC LIMIT $1;
-- permissions.copy_insert
INSERT INTO permissions (name, description, requestable, registered_by, created_at, managed) VALUES ($1, $2, $3, $4, $5, $6);
-- grants.copy_first_page
SELECT user_id, kind, name, id, source, reason, granted_by, created_at, starts_at, ends_at FROM grants ORDER BY user_id, kind, name LIMIT $1;
-- grants.copy_next_page
SELECT user_id, kind, name, id, source, reason, granted_by, created_at, starts_at, ends_at FROM grants WHERE (user_id, kind, name) > ($1, $2, $3) ORDER BY user_id, kind, name LIMIT $4;
-- grants.copy_last_key
SELECT user_id, kind, name FROM grants ORDER BY user_id DESC, kind DESC, name DESC LIMIT $1;
-- grants.copy_insert
INSERT INTO grants (user_id, kind, name, id, source, reason, granted_by, created_at, starts_at, ends_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10);
-- access_requests.copy_first_page
SELECT id, user_id, kind, name, action, reason, starts_at, duration_seconds, state, decisions, created_at, expires_at, version FROM access_requests ORDER BY id LIMIT $1;
-- access_requests.copy_next_page
SELECT id, user_id, kind, name, action, reason, starts_at, duration_seconds, state, decisions, created_at, expires_at, version FROM access_requests WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- access_requests.copy_last_key
SELECT id FROM access_requests ORDER BY id DESC LIMIT $1;
-- access_requests.copy_insert
INSERT INTO access_requests (id, user_id, kind, name, action, reason, starts_at, duration_seconds, state, decisions, created_at, expires_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);
-- open_access_requests.copy_first_page
SELECT user_id, kind, name, request_id FROM open_access_requests ORDER BY user_id, kind, name LIMIT $1;
-- open_access_requests.copy_next_page
SELECT user_id, kind, name, request_id FROM open_access_requests WHERE (user_id, kind, name) > ($1, $2, $3) ORDER BY user_id, kind, name LIMIT $4;
-- open_access_requests.copy_last_key
SELECT user_id, kind, name FROM open_access_requests ORDER BY user_id DESC, kind DESC, name DESC LIMIT $1;
-- open_access_requests.copy_insert
INSERT INTO open_access_requests (user_id, kind, name, request_id) VALUES ($1, $2, $3, $4);
-- access_request_escalations.copy_first_page
SELECT request_id, user_id, due_at FROM access_request_escalations ORDER BY request_id LIMIT $1;
-- access_request_escalations.copy_next_page
SELECT request_id, user_id, due_at FROM access_request_escalations WHERE (request_id) > ($1) ORDER BY request_id LIMIT $2;
-- access_request_escalations.copy_last_key
SELECT request_id FROM access_request_escalations ORDER BY request_id DESC LIMIT $1;
-- access_request_escalations.copy_insert
INSERT INTO access_request_escalations (request_id, user_id, due_at) VALUES ($1, $2, $3);
-- request_messages.copy_first_page
SELECT request_id, user_id, message_id, remove_at FROM request_messages ORDER BY request_id, user_id, message_id LIMIT $1;
-- request_messages.copy_next_page
SELECT request_id, user_id, message_id, remove_at FROM request_messages WHERE (request_id, user_id, message_id) > ($1, $2, $3) ORDER BY request_id, user_id, message_id LIMIT $4;
-- request_messages.copy_last_key
SELECT request_id, user_id, message_id FROM request_messages ORDER BY request_id DESC, user_id DESC, message_id DESC LIMIT $1;
-- request_messages.copy_insert
INSERT INTO request_messages (request_id, user_id, message_id, remove_at) VALUES ($1, $2, $3, $4);
-- notification_preferences.copy_first_page
SELECT user_id, categories, quiet_from, quiet_to, version, updated_at FROM notification_preferences ORDER BY user_id LIMIT $1;
-- notification_preferences.copy_next_page
SELECT user_id, categories, quiet_from, quiet_to, version, updated_at FROM notification_preferences WHERE (user_id) > ($1) ORDER BY user_id LIMIT $2;
-- notification_preferences.copy_last_key
SELECT user_id FROM notification_preferences ORDER BY user_id DESC LIMIT $1;
-- notification_preferences.copy_insert
INSERT INTO notification_preferences (user_id, categories, quiet_from, quiet_to, version, updated_at) VALUES ($1, $2, $3, $4, $5, $6);
-- webhooks.copy_first_page
SELECT id, url, events, description, secret, previous_secret, previous_until, created_by, created_at, updated_at, disabled_at, disabled_reason, failing_since, version FROM webhooks ORDER BY id LIMIT $1;
-- webhooks.copy_next_page
SELECT id, url, events, description, secret, previous_secret, previous_until, created_by, created_at, updated_at, disabled_at, disabled_reason, failing_since, version FROM webhooks WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- webhooks.copy_last_key
SELECT id FROM webhooks ORDER BY id DESC LIMIT $1;
-- webhooks.copy_insert
INSERT INTO webhooks (id, url, events, description, secret, previous_secret, previous_until, created_by, created_at, updated_at, disabled_at, disabled_reason, failing_since, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14);
-- streams.copy_first_page
SELECT id, client_id, requested, description, push, status, reason, cursor, queued, verified_at, failing_since, attempts, due_at, created_at, updated_at, version FROM streams ORDER BY id LIMIT $1;
-- streams.copy_next_page
SELECT id, client_id, requested, description, push, status, reason, cursor, queued, verified_at, failing_since, attempts, due_at, created_at, updated_at, version FROM streams WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- streams.copy_last_key
SELECT id FROM streams ORDER BY id DESC LIMIT $1;
-- streams.copy_insert
INSERT INTO streams (id, client_id, requested, description, push, status, reason, cursor, queued, verified_at, failing_since, attempts, due_at, created_at, updated_at, version) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16);
-- stream_signals.copy_first_page
SELECT id, stream_id, number, user_id, payload, created_at, expires_at FROM stream_signals ORDER BY id LIMIT $1;
-- stream_signals.copy_next_page
SELECT id, stream_id, number, user_id, payload, created_at, expires_at FROM stream_signals WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- stream_signals.copy_last_key
SELECT id FROM stream_signals ORDER BY id DESC LIMIT $1;
-- stream_signals.copy_insert
INSERT INTO stream_signals (id, stream_id, number, user_id, payload, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7);
-- stream_keys.copy_first_page
SELECT kid, public_jwk, private_key, created_at FROM stream_keys ORDER BY kid LIMIT $1;
-- stream_keys.copy_next_page
SELECT kid, public_jwk, private_key, created_at FROM stream_keys WHERE (kid) > ($1) ORDER BY kid LIMIT $2;
-- stream_keys.copy_last_key
SELECT kid FROM stream_keys ORDER BY kid DESC LIMIT $1;
-- stream_keys.copy_insert
INSERT INTO stream_keys (kid, public_jwk, private_key, created_at) VALUES ($1, $2, $3, $4);
-- deletions.copy_first_page
SELECT user_id, deleted_by, status_before, deleted_at, purge_at FROM deletions ORDER BY user_id LIMIT $1;
-- deletions.copy_next_page
SELECT user_id, deleted_by, status_before, deleted_at, purge_at FROM deletions WHERE (user_id) > ($1) ORDER BY user_id LIMIT $2;
-- deletions.copy_last_key
SELECT user_id FROM deletions ORDER BY user_id DESC LIMIT $1;
-- deletions.copy_insert
INSERT INTO deletions (user_id, deleted_by, status_before, deleted_at, purge_at) VALUES ($1, $2, $3, $4, $5);
-- invitations.copy_first_page
SELECT id, token_hash, email, roles, uses, created_by, created_at, expires_at FROM invitations ORDER BY id LIMIT $1;
-- invitations.copy_next_page
SELECT id, token_hash, email, roles, uses, created_by, created_at, expires_at FROM invitations WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- invitations.copy_last_key
SELECT id FROM invitations ORDER BY id DESC LIMIT $1;
-- invitations.copy_insert
INSERT INTO invitations (id, token_hash, email, roles, uses, created_by, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8);
-- further_emails.copy_first_page
SELECT id, user_id, email_sealed, created_at FROM further_emails ORDER BY id LIMIT $1;
-- further_emails.copy_next_page
SELECT id, user_id, email_sealed, created_at FROM further_emails WHERE (id) > ($1) ORDER BY id LIMIT $2;
-- further_emails.copy_last_key
SELECT id FROM further_emails ORDER BY id DESC LIMIT $1;
-- further_emails.copy_insert
INSERT INTO further_emails (id, user_id, email_sealed, created_at) VALUES ($1, $2, $3, $4);
-- terms_acceptances.copy_first_page
SELECT user_id, document, version, accepted_at, origin FROM terms_acceptances ORDER BY user_id, document, version LIMIT $1;
-- terms_acceptances.copy_next_page
SELECT user_id, document, version, accepted_at, origin FROM terms_acceptances WHERE (user_id, document, version) > ($1, $2, $3) ORDER BY user_id, document, version LIMIT $4;
-- terms_acceptances.copy_last_key
SELECT user_id, document, version FROM terms_acceptances ORDER BY user_id DESC, document DESC, version DESC LIMIT $1;
-- terms_acceptances.copy_insert
INSERT INTO terms_acceptances (user_id, document, version, accepted_at, origin) VALUES ($1, $2, $3, $4, $5);
-- legal_holds.copy_first_page
SELECT user_id, reason, created_at FROM legal_holds ORDER BY user_id LIMIT $1;
-- legal_holds.copy_next_page
SELECT user_id, reason, created_at FROM legal_holds WHERE (user_id) > ($1) ORDER BY user_id LIMIT $2;
-- legal_holds.copy_last_key
SELECT user_id FROM legal_holds ORDER BY user_id DESC LIMIT $1;
-- legal_holds.copy_insert
INSERT INTO legal_holds (user_id, reason, created_at) VALUES ($1, $2, $3);
-- tombstones.copy_first_page
SELECT user_id, purged_at FROM tombstones ORDER BY user_id LIMIT $1;
-- tombstones.copy_next_page
SELECT user_id, purged_at FROM tombstones WHERE (user_id) > ($1) ORDER BY user_id LIMIT $2;
-- tombstones.copy_last_key
SELECT user_id FROM tombstones ORDER BY user_id DESC LIMIT $1;
-- tombstones.copy_insert
INSERT INTO tombstones (user_id, purged_at) VALUES ($1, $2);
-- block_ends.copy_first_page
SELECT user_id, ends_at FROM block_ends ORDER BY user_id LIMIT $1;
-- block_ends.copy_next_page
SELECT user_id, ends_at FROM block_ends WHERE (user_id) > ($1) ORDER BY user_id LIMIT $2;
-- block_ends.copy_last_key
SELECT user_id FROM block_ends ORDER BY user_id DESC LIMIT $1;
-- block_ends.copy_insert
INSERT INTO block_ends (user_id, ends_at) VALUES ($1, $2);
-- sessions.expired
SELECT expires_at, id FROM sessions WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2;
-- sessions.remove_expired
DELETE FROM sessions WHERE id = $1;
-- revocations.expired
SELECT expires_at, id FROM revocations WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2;
-- revocations.remove_expired
DELETE FROM revocations WHERE id = $1;
-- outbox.expired
SELECT shard, created_at, id FROM outbox WHERE shard = $1 AND created_at <= $2 ORDER BY shard, created_at, id LIMIT $3;
-- outbox.remove_expired
DELETE FROM outbox WHERE shard = $1 AND created_at = $2 AND id = $3;
-- events.expired
SELECT expires_at, shard, position FROM events WHERE expires_at <= $1 ORDER BY expires_at, shard, position LIMIT $2;
-- events.remove_expired
DELETE FROM events WHERE shard = $1 AND position = $2;
-- hourly_counts.expired
SELECT shard, hour FROM hourly_counts WHERE shard = $1 AND hour <= $2 ORDER BY shard, hour LIMIT $3;
-- hourly_counts.remove_expired
DELETE FROM hourly_counts WHERE shard = $1 AND hour = $2;
-- deliveries.expired
SELECT remove_at, id FROM deliveries WHERE remove_at <= $1 ORDER BY remove_at, id LIMIT $2;
-- deliveries.remove_expired
DELETE FROM deliveries WHERE id = $1;
-- mails.expired
SELECT expires_at, id FROM mails WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2;
-- mails.remove_expired
DELETE FROM mails WHERE id = $1;
-- messages.expired
SELECT remove_at, id FROM messages WHERE remove_at <= $1 ORDER BY remove_at, id LIMIT $2;
-- messages.remove_expired
DELETE FROM messages WHERE id = $1;
-- message_counts.expired
SELECT remove_at, message_id, slot FROM message_counts WHERE remove_at <= $1 ORDER BY remove_at, message_id, slot LIMIT $2;
-- message_counts.remove_expired
DELETE FROM message_counts WHERE message_id = $1 AND slot = $2;
-- replay_guard.expired
SELECT expires_at, hash FROM replay_guard WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2;
-- replay_guard.remove_expired
DELETE FROM replay_guard WHERE hash = $1;
-- one_time_tokens.expired
SELECT expires_at, hash FROM one_time_tokens WHERE expires_at <= $1 ORDER BY expires_at, hash LIMIT $2;
-- one_time_tokens.remove_expired
DELETE FROM one_time_tokens WHERE hash = $1;
-- idempotency_keys.expired
SELECT expires_at, key_hash FROM idempotency_keys WHERE expires_at <= $1 ORDER BY expires_at, key_hash LIMIT $2;
-- idempotency_keys.remove_expired
DELETE FROM idempotency_keys WHERE key_hash = $1;
-- request_messages.expired
SELECT remove_at, request_id, user_id, message_id FROM request_messages WHERE remove_at <= $1 ORDER BY remove_at, request_id, user_id, message_id LIMIT $2;
-- request_messages.remove_expired
DELETE FROM request_messages WHERE request_id = $1 AND user_id = $2 AND message_id = $3;
-- stream_signals.expired
SELECT expires_at, id FROM stream_signals WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2;
-- stream_signals.remove_expired
DELETE FROM stream_signals WHERE id = $1;
-- invitations.expired
SELECT expires_at, id FROM invitations WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2;
-- invitations.remove_expired
DELETE FROM invitations WHERE id = $1;
-- users.remove_owned
DELETE FROM users WHERE id = $1;
-- user_terms.keys_of_owner
SELECT user_id, slot FROM user_terms WHERE user_id = $1 ORDER BY user_id, slot LIMIT $2;
-- user_terms.remove_owned
DELETE FROM user_terms WHERE user_id = $1 AND slot = $2;
-- claims.keys_of_owner
SELECT owner_id, kind, claim_hash FROM claims WHERE owner_id = $1 ORDER BY owner_id, kind, claim_hash LIMIT $2;
-- claims.remove_owned
DELETE FROM claims WHERE claim_hash = $1;
-- password_credentials.remove_owned
DELETE FROM password_credentials WHERE user_id = $1;
-- sessions.keys_of_owner
SELECT user_id, created_at, id FROM sessions WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- sessions.remove_owned
DELETE FROM sessions WHERE id = $1;
-- notifications.keys_of_owner
SELECT user_id, folder, created_at, id FROM notifications WHERE user_id = $1 ORDER BY user_id, folder, created_at, id LIMIT $2;
-- notifications.remove_owned
DELETE FROM notifications WHERE id = $1;
-- inboxes.remove_owned
DELETE FROM inboxes WHERE user_id = $1;
-- one_time_tokens.keys_of_owner
SELECT owner_id, purpose, hash FROM one_time_tokens WHERE owner_id = $1 ORDER BY owner_id, purpose, hash LIMIT $2;
-- one_time_tokens.remove_owned
DELETE FROM one_time_tokens WHERE hash = $1;
-- identities.keys_of_owner
SELECT user_id, created_at, id FROM identities WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- identities.remove_owned
DELETE FROM identities WHERE id = $1;
-- factors.keys_of_owner
SELECT user_id, created_at, id FROM factors WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- factors.remove_owned
DELETE FROM factors WHERE id = $1;
-- recovery_codes.keys_of_owner
SELECT user_id, hash FROM recovery_codes WHERE user_id = $1 ORDER BY user_id, hash LIMIT $2;
-- recovery_codes.remove_owned
DELETE FROM recovery_codes WHERE hash = $1;
-- grants.keys_of_owner
SELECT user_id, kind, name FROM grants WHERE user_id = $1 ORDER BY user_id, kind, name LIMIT $2;
-- grants.remove_owned
DELETE FROM grants WHERE user_id = $1 AND kind = $2 AND name = $3;
-- access_requests.keys_of_owner
SELECT user_id, created_at, id FROM access_requests WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- access_requests.remove_owned
DELETE FROM access_requests WHERE id = $1;
-- open_access_requests.keys_of_owner
SELECT user_id, kind, name FROM open_access_requests WHERE user_id = $1 ORDER BY user_id, kind, name LIMIT $2;
-- open_access_requests.remove_owned
DELETE FROM open_access_requests WHERE user_id = $1 AND kind = $2 AND name = $3;
-- notification_preferences.remove_owned
DELETE FROM notification_preferences WHERE user_id = $1;
-- deletions.remove_owned
DELETE FROM deletions WHERE user_id = $1;
-- further_emails.keys_of_owner
SELECT user_id, created_at, id FROM further_emails WHERE user_id = $1 ORDER BY user_id, created_at, id LIMIT $2;
-- further_emails.remove_owned
DELETE FROM further_emails WHERE id = $1;
-- terms_acceptances.keys_of_owner
SELECT user_id, document, version FROM terms_acceptances WHERE user_id = $1 ORDER BY user_id, document, version LIMIT $2;
-- terms_acceptances.remove_owned
DELETE FROM terms_acceptances WHERE user_id = $1 AND document = $2 AND version = $3;
-- legal_holds.remove_owned
DELETE FROM legal_holds WHERE user_id = $1;
-- block_ends.remove_owned
DELETE FROM block_ends WHERE user_id = $1;
