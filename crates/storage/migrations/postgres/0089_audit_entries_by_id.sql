CREATE INDEX IF NOT EXISTS audit_entries_by_id ON audit_entries (id ASC, position ASC);
