ALTER TABLE users ADD COLUMN awaits_approval_since INTEGER;
