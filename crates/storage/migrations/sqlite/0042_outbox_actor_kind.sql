ALTER TABLE outbox ADD COLUMN actor_kind TEXT;
