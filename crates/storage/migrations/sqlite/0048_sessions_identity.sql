ALTER TABLE sessions ADD COLUMN identity_id BLOB;
