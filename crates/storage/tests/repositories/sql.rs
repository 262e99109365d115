//! The portable subset as a grammar, small enough to read: whatever it does not know is refused. Here text becomes
//! structure; what a statement may do is decided in `portable.rs`, what a schema step may do in `schema.rs`.

/// One word, placeholder or sign; words keep their case.
pub(crate) fn tokens(sql: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if c.is_whitespace() => {
                rest = rest.trim_start();
                continue;
            }
            '\'' | '"' => rest[1..].find(first).map_or(rest.len(), |end| end + 2),
            '<' | '>' | ':' | '|' => rest.find(|c| !"<>=:|".contains(c)).unwrap_or(rest.len()),
            c if word(c) || c == '$' => rest[1..].find(|c| !word(c)).map_or(rest.len(), |end| end + 1),
            c => c.len_utf8(),
        };
        tokens.push(rest[..length].to_owned());
        rest = &rest[length..];
    }
    tokens
}

fn word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_' || c == '.'
}

/// A parsed statement.
#[derive(Debug)]
pub(crate) enum Sql {
    Select {
        table: String,
        columns: Vec<String>,
        conditions: Vec<Condition>,
        order: Vec<(String, bool)>,
        limit: Option<usize>,
    },
    Insert {
        table: String,
        columns: Vec<String>,
        values: Vec<usize>,
        upsert: Option<Upsert>,
    },
    Update {
        table: String,
        set: Vec<(String, usize)>,
        conditions: Vec<Condition>,
    },
    Delete {
        table: String,
        conditions: Vec<Condition>,
    },
}

/// `ON CONFLICT (key) DO UPDATE SET column = excluded.column …`.
#[derive(Debug)]
pub(crate) struct Upsert {
    pub(crate) key: Vec<String>,
    pub(crate) set: Vec<(String, String)>,
}

/// `column op $n`, or a row comparison `(a, b) op ($n, $m)`.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) columns: Vec<String>,
    pub(crate) sign: String,
    pub(crate) placeholders: Vec<usize>,
    pub(crate) row: bool,
}

/// Reads tokens one by one.
pub(crate) struct Reader {
    tokens: Vec<String>,
    at: usize,
}

pub(crate) type Parsed<T> = Result<T, String>;

impl Reader {
    pub(crate) fn new(sql: &str) -> Self {
        Self { tokens: tokens(sql), at: 0 }
    }

    pub(crate) fn next(&mut self) -> Parsed<String> {
        let token = self.tokens.get(self.at).cloned().ok_or("ends too early")?;
        self.at += 1;
        Ok(token)
    }

    pub(crate) fn eat(&mut self, words: &str) -> bool {
        let words: Vec<&str> = words.split(' ').collect();
        let found = self.tokens[self.at..].iter().map(String::as_str).take(words.len()).eq(words.iter().copied());
        self.at += if found { words.len() } else { 0 };
        found
    }

    pub(crate) fn expect(&mut self, words: &str) -> Parsed<()> {
        if self.eat(words) { Ok(()) } else { Err(format!("expected {words} at {:?}", self.rest())) }
    }

    pub(crate) fn rest(&self) -> String {
        self.tokens[self.at..].join(" ")
    }

    pub(crate) fn end(&self) -> Parsed<()> {
        if self.at == self.tokens.len() { Ok(()) } else { Err(format!("unexpected {:?}", self.rest())) }
    }

    pub(crate) fn name(&mut self) -> Parsed<String> {
        let name = self.next()?;
        let lawful = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
        if lawful && !name.starts_with(|c: char| c.is_ascii_digit()) {
            Ok(name)
        } else {
            Err(format!("{name:?} is not a plain name"))
        }
    }

    pub(crate) fn separated<T>(&mut self, each: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut list = vec![each(self)?];
        while self.eat(",") {
            list.push(each(self)?);
        }
        Ok(list)
    }

    pub(crate) fn names(&mut self) -> Parsed<Vec<String>> {
        self.expect("(")?;
        let names = self.separated(Self::name)?;
        self.expect(")")?;
        Ok(names)
    }

    fn placeholder(&mut self) -> Parsed<usize> {
        let token = self.next()?;
        token.strip_prefix('$').and_then(|digits| digits.parse().ok()).ok_or(format!("{token:?} is not a placeholder"))
    }

    fn placeholders(&mut self) -> Parsed<Vec<usize>> {
        self.expect("(")?;
        let list = self.separated(Self::placeholder)?;
        self.expect(")")?;
        Ok(list)
    }

    fn conditions(&mut self) -> Parsed<Vec<Condition>> {
        if !self.eat("WHERE") {
            return Ok(Vec::new());
        }
        let mut list = vec![self.condition()?];
        while self.eat("AND") {
            list.push(self.condition()?);
        }
        Ok(list)
    }

    fn condition(&mut self) -> Parsed<Condition> {
        let row = self.tokens.get(self.at).is_some_and(|token| token == "(");
        let columns = if row { self.names()? } else { vec![self.name()?] };
        let sign = self.next()?;
        let placeholders = if row { self.placeholders()? } else { vec![self.placeholder()?] };
        if !["=", "<", "<=", ">", ">="].contains(&sign.as_str()) {
            return Err(format!("{sign:?} is not a comparison"));
        }
        if columns.len() != placeholders.len() {
            return Err("a row comparison of unequal lengths".into());
        }
        Ok(Condition { columns, sign, placeholders, row })
    }

    fn ordered(&mut self) -> Parsed<(String, bool)> {
        Ok((self.name()?, self.eat("DESC")))
    }

    fn assignment(&mut self) -> Parsed<(String, usize)> {
        let column = self.name()?;
        self.expect("=")?;
        Ok((column, self.placeholder()?))
    }

    fn excluded(&mut self) -> Parsed<(String, String)> {
        let column = self.name()?;
        self.expect("=")?;
        let value = self.next()?;
        let from = value.strip_prefix("excluded.").ok_or(format!("{value:?} is not an excluded column"))?;
        Ok((column, from.to_owned()))
    }

    fn select(&mut self) -> Parsed<Sql> {
        let columns = self.separated(Self::name)?;
        self.expect("FROM")?;
        let table = self.name()?;
        let conditions = self.conditions()?;
        let order = if self.eat("ORDER BY") { self.separated(Self::ordered)? } else { Vec::new() };
        let limit = if self.eat("LIMIT") { Some(self.placeholder()?) } else { None };
        Ok(Sql::Select { table, columns, conditions, order, limit })
    }

    fn insert(&mut self) -> Parsed<Sql> {
        let table = self.name()?;
        let columns = self.names()?;
        self.expect("VALUES")?;
        let values = self.placeholders()?;
        let upsert = if self.eat("ON CONFLICT") {
            let key = self.names()?;
            self.expect("DO UPDATE SET")?;
            Some(Upsert { key, set: self.separated(Self::excluded)? })
        } else {
            None
        };
        Ok(Sql::Insert { table, columns, values, upsert })
    }

    fn update(&mut self) -> Parsed<Sql> {
        let table = self.name()?;
        self.expect("SET")?;
        let set = self.separated(Self::assignment)?;
        Ok(Sql::Update { table, set, conditions: self.conditions()? })
    }

    fn delete(&mut self) -> Parsed<Sql> {
        Ok(Sql::Delete { table: self.name()?, conditions: self.conditions()? })
    }
}

/// Parses one statement of the portable subset.
pub(crate) fn parse(sql: &str) -> Parsed<Sql> {
    let mut reader = Reader::new(sql);
    let parsed = if reader.eat("SELECT") {
        reader.select()
    } else if reader.eat("INSERT INTO") {
        reader.insert()
    } else if reader.eat("UPDATE") {
        reader.update()
    } else if reader.eat("DELETE FROM") {
        reader.delete()
    } else {
        Err("is not SELECT, INSERT, UPDATE or DELETE".into())
    }?;
    reader.end()?;
    Ok(parsed)
}
