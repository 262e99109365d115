CREATE INDEX IF NOT EXISTS audit_entries_by_actor ON audit_entries (actor ASC, position ASC);
