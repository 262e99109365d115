CREATE TABLE IF NOT EXISTS claims (
    claim_hash BYTEA NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    owner_id UUID NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    PRIMARY KEY (claim_hash)
);
