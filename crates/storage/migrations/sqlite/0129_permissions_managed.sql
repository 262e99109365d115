ALTER TABLE permissions ADD COLUMN managed INTEGER;
