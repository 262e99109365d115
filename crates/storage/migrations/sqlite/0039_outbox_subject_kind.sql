ALTER TABLE outbox ADD COLUMN subject_kind TEXT;
