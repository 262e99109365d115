CREATE TABLE IF NOT EXISTS appended_numbers (
    subject_kind TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    user_id BLOB NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (subject_kind, subject_id)
) STRICT, WITHOUT ROWID;
