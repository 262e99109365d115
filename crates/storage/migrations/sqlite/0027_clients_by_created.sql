CREATE INDEX IF NOT EXISTS clients_by_created ON clients (scope, created_at, id);
