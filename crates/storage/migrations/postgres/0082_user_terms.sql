CREATE TABLE IF NOT EXISTS user_terms (
    user_id UUID NOT NULL,
    slot TEXT COLLATE "C" NOT NULL,
    kind TEXT COLLATE "C" NOT NULL,
    value TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (user_id, slot)
);
