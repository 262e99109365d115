//! Tables made, altered and dropped, from words.

use super::{
    ast::{Alter, ColumnDef, CreateTable, Ddl, IndexDef, Setting},
    lexer::Kind,
    parser::Parser,
};
use crate::{
    failure::{Failure, Outcome},
    value::Type,
};

impl Parser<'_> {
    /// None: what is next is no DDL.
    pub(super) fn ddl(&mut self) -> Outcome<Option<Ddl>> {
        if self.word("create") {
            self.expect_word("table")?;
            return self.create_table().map(|table| Some(Ddl::Create(table)));
        }
        if self.word("alter") {
            self.expect_word("table")?;
            let name = self.table()?;
            let changes = self.list(Self::alteration)?;
            return Ok(Some(Ddl::Alter { name, changes }));
        }
        if self.word("drop") {
            self.expect_word("table")?;
            let if_exists = self.word("if");
            if if_exists {
                self.expect_word("exists")?;
            }
            return Ok(Some(Ddl::Drop { name: self.table()?, if_exists }));
        }
        Ok(None)
    }

    fn create_table(&mut self) -> Outcome<CreateTable> {
        let mut table = CreateTable::default();
        if self.word("if") {
            self.expect_word("not")?;
            self.expect_word("exists")?;
            table.if_not_exists = true;
        }
        table.name = self.table()?;
        self.expect("(")?;
        self.list(|parser| {
            if parser.word("primary") {
                parser.expect_word("key")?;
                table.key = parser.names()?;
            } else if parser.is_word("index") {
                parser.word("index");
                table.indexes.push(parser.index()?);
            } else {
                table.columns.push(parser.column()?);
            }
            Ok(())
        })?;
        self.expect(")")?;
        if self.word("with") {
            table.settings = self.settings()?;
        }
        Ok(table)
    }

    fn column(&mut self) -> Outcome<ColumnDef> {
        let name = self.name()?;
        let Type::Primitive(kind) = self.data_type()? else {
            return Err(Failure::generic(format!("the column {name} is not of a simple type")));
        };
        let mut column = ColumnDef { name, kind, not_null: false, default: None };
        loop {
            if self.word("not") {
                self.expect_word("null")?;
                column.not_null = true;
            } else if self.word("default") {
                column.default = Some(self.literal()?);
            } else if !self.word("null") {
                return Ok(column);
            }
        }
    }

    /// Behind the word INDEX.
    fn index(&mut self) -> Outcome<IndexDef> {
        let mut index = IndexDef { name: self.name()?, ..IndexDef::default() };
        self.expect_word("global")?;
        index.unique = self.word("unique");
        index.asynchronous = self.word("async");
        if !index.asynchronous {
            self.word("sync");
        }
        self.expect_word("on")?;
        index.columns = self.names()?;
        if self.word("cover") {
            index.cover = self.names()?;
        }
        if self.word("with") {
            self.settings()?;
        }
        Ok(index)
    }

    fn alteration(&mut self) -> Outcome<Alter> {
        if self.word("add") {
            if self.word("index") {
                return self.index().map(Alter::AddIndex);
            }
            self.word("column");
            return self.column().map(Alter::AddColumn);
        }
        if self.word("drop") {
            if self.word("index") {
                return self.name().map(Alter::DropIndex);
            }
            self.word("column");
            return self.name().map(Alter::DropColumn);
        }
        if self.word("alter") {
            self.expect_word("index")?;
            let name = self.name()?;
            self.expect_word("set")?;
            return Ok(Alter::SetIndex(name, self.settings()?));
        }
        if self.word("reset") {
            return self.names().map(Alter::Reset);
        }
        self.expect_word("set")?;
        self.settings().map(Alter::Set)
    }

    fn settings(&mut self) -> Outcome<Vec<(String, Setting)>> {
        self.expect("(")?;
        let settings = self.list(|parser| {
            let name = parser.name()?.to_ascii_uppercase();
            parser.expect("=")?;
            Ok((name, parser.setting()?))
        })?;
        self.expect(")")?;
        Ok(settings)
    }

    fn setting(&mut self) -> Outcome<Setting> {
        if self.word("interval") {
            self.expect("(")?;
            let Kind::Text(length, _) = self.step() else { return Err(self.unexpected("a length of time")) };
            self.expect(")")?;
            self.expect_word("on")?;
            let seconds = seconds(&length)
                .ok_or_else(|| Failure::generic(format!("Interval(\"{length}\") is no length of time")))?;
            return Ok(Setting::Ttl(seconds, self.name()?));
        }
        Ok(match self.step() {
            Kind::Word(word) => Setting::Word(word.to_ascii_uppercase()),
            Kind::Text(text, _) => Setting::Text(text),
            Kind::Number(digits, _) => {
                Setting::Number(digits.parse().map_err(|_| Failure::generic(format!("{digits} is too large")))?)
            }
            _ => return Err(self.unexpected("a value")),
        })
    }
}

/// ISO 8601: days, hours, minutes, seconds.
fn seconds(length: &str) -> Option<u64> {
    let mut rest = length.strip_prefix('P')?;
    let (mut total, mut in_time) = (0_u64, false);
    while !rest.is_empty() {
        if let Some(time) = rest.strip_prefix('T') {
            (rest, in_time) = (time, true);
            continue;
        }
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        let count: u64 = rest.get(..end)?.parse().ok()?;
        let unit = match (rest.get(end..=end)?, in_time) {
            ("W", false) => 604_800,
            ("D", false) => 86_400,
            ("H", true) => 3_600,
            ("M", true) => 60,
            ("S", true) => 1,
            _ => return None,
        };
        total = total.checked_add(count.checked_mul(unit)?)?;
        rest = rest.get(end + 1..)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn lengths_of_time_are_read_as_iso_8601_writes_them() {
        for (text, expected) in [("PT0S", Some(0)), ("P1D", Some(86_400)), ("P1DT2H3M4S", Some(93_784)), ("1D", None)] {
            assert_eq!(seconds(text), expected, "{text}");
        }
    }
}
