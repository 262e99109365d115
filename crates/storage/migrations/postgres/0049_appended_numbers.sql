CREATE TABLE IF NOT EXISTS appended_numbers (
    subject_kind TEXT COLLATE "C" NOT NULL,
    subject_id TEXT COLLATE "C" NOT NULL,
    user_id UUID NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
);
