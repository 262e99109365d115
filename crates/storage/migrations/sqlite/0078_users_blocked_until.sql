ALTER TABLE users ADD COLUMN blocked_until INTEGER;
