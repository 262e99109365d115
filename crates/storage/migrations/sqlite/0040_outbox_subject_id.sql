ALTER TABLE outbox ADD COLUMN subject_id TEXT;
