CREATE INDEX IF NOT EXISTS audit_entries_by_subject ON audit_entries (subject ASC, position ASC);
