ALTER TABLE clients ADD COLUMN permission_prefix TEXT;
