ALTER TABLE sessions ADD COLUMN parties TEXT;
