ALTER TABLE users ADD COLUMN block_reason BLOB;
