CREATE INDEX IF NOT EXISTS claims_by_owner ON claims (owner_id, kind, claim_hash);
