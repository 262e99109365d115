CREATE INDEX IF NOT EXISTS audit_entries_by_act ON audit_entries (act, position);
