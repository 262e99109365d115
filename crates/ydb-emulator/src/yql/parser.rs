//! Statements from words.

use super::{
    ast::{From, Join, Named, Projected, Rows, Script, Select, Source, Statement, Verb, Write},
    lexer::{Kind, Token, position, tokens},
};
use crate::failure::{Failure, Outcome};

/// Reads a whole text. Names of tables come out with the prefix that the text gives them.
pub(crate) fn parse(text: &str) -> Outcome<Script> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0, text, prefix: None };
    parser.script()
}

pub(super) struct Parser<'a> {
    tokens: Vec<Token>,
    at: usize,
    text: &'a str,
    prefix: Option<String>,
}

/// Words that end a table's name or an expression and so are no alias without AS.
const RESERVED: &[&str] = &[
    "view",
    "where",
    "order",
    "limit",
    "offset",
    "join",
    "left",
    "inner",
    "on",
    "as",
    "set",
    "select",
    "from",
    "group",
    "having",
    "returning",
    "values",
    "union",
    "cross",
    "and",
    "or",
    "asc",
    "desc",
];

impl Parser<'_> {
    fn script(&mut self) -> Outcome<Script> {
        let mut script = Script::default();
        loop {
            while self.sign(";") {}
            if *self.peek() == Kind::End {
                return Ok(script);
            }
            if self.word("declare") {
                let name = self.parameter()?;
                self.expect_word("as")?;
                let kind = self.data_type()?;
                script.declared.push((name, kind));
            } else if self.word("pragma") {
                self.pragma()?;
            } else {
                let statement = self.statement()?;
                script.statements.push(statement);
            }
            if *self.peek() != Kind::End && !self.sign(";") {
                return Err(self.unexpected("`;`"));
            }
        }
    }

    fn pragma(&mut self) -> Outcome<()> {
        let mut name = self.name()?;
        while self.sign(".") {
            name = format!("{name}.{}", self.name()?);
        }
        let bracketed = self.sign("(");
        if !bracketed {
            self.sign("=");
        }
        let value = match self.peek().clone() {
            Kind::Text(value, _) => {
                self.at += 1;
                Some(value)
            }
            _ => None,
        };
        if bracketed {
            self.expect(")")?;
        }
        if name.eq_ignore_ascii_case("TablePathPrefix") {
            self.prefix = value;
        }
        Ok(())
    }

    fn statement(&mut self) -> Outcome<Statement> {
        if let Kind::Parameter(name) = self.peek().clone() {
            self.at += 1;
            self.expect("=")?;
            return self.named().map(|value| Statement::Named(name, value));
        }
        if self.is_word("select") {
            return self.select().map(Statement::Select);
        }
        for (word, verb) in [("insert", Verb::Insert), ("upsert", Verb::Upsert), ("replace", Verb::Replace)] {
            if self.word(word) {
                self.expect_word("into")?;
                return self.write(verb).map(Statement::Write);
            }
        }
        if self.word("update") {
            return self.update();
        }
        if self.word("delete") {
            self.expect_word("from")?;
            return self.delete();
        }
        if let Some(ddl) = self.ddl()? {
            return Ok(Statement::Ddl(ddl));
        }
        Err(self.unexpected("a statement"))
    }

    fn named(&mut self) -> Outcome<Named> {
        let bracketed = *self.peek() == Kind::Sign("(")
            && self.tokens.get(self.at + 1).is_some_and(|token| is(&token.kind, "select"));
        if bracketed {
            self.at += 1;
        }
        if !self.is_word("select") {
            return self.expression().map(Named::Value);
        }
        let rows = self.select()?;
        if bracketed {
            self.expect(")")?;
        }
        Ok(Named::Rows(Box::new(rows)))
    }

    fn write(&mut self, verb: Verb) -> Outcome<Write> {
        let table = self.table()?;
        let columns = if *self.peek() == Kind::Sign("(") { Some(self.names()?) } else { None };
        if !self.word("values") {
            return Ok(Write { verb, table, columns, rows: Rows::Select(Box::new(self.select()?)) });
        }
        let mut rows = Vec::new();
        loop {
            self.expect("(")?;
            rows.push(self.list(Self::expression)?);
            self.expect(")")?;
            if !self.sign(",") {
                return Ok(Write { verb, table, columns, rows: Rows::Values(rows) });
            }
        }
    }

    fn update(&mut self) -> Outcome<Statement> {
        let table = self.table()?;
        if self.word("on") {
            return Ok(Statement::UpdateOn { table, rows: self.select()? });
        }
        self.expect_word("set")?;
        let set = self.list(|parser| {
            let column = parser.name()?;
            parser.expect("=")?;
            Ok((column, parser.expression()?))
        })?;
        let filter = self.filter()?;
        Ok(Statement::Update { table, set, filter })
    }

    fn delete(&mut self) -> Outcome<Statement> {
        let table = self.table()?;
        if self.word("on") {
            return Ok(Statement::DeleteOn { table, rows: self.select()? });
        }
        Ok(Statement::Delete { table, filter: self.filter()? })
    }

    fn filter(&mut self) -> Outcome<Option<super::ast::Expr>> {
        if self.word("where") { self.expression().map(Some) } else { Ok(None) }
    }

    pub(super) fn select(&mut self) -> Outcome<Select> {
        self.expect_word("select")?;
        let mut select = Select::default();
        if !self.sign("*") {
            select.columns = Some(self.list(Self::projected)?);
        }
        if self.word("from") {
            select.from = Some(self.source()?);
            while let Some(join) = self.join()? {
                select.joins.push(join);
            }
        }
        select.filter = self.filter()?;
        if self.word("order") {
            self.expect_word("by")?;
            select.order = self.list(|parser| {
                let value = parser.expression()?;
                let descending = parser.word("desc");
                if !descending {
                    parser.word("asc");
                }
                Ok((value, descending))
            })?;
        }
        if self.word("limit") {
            select.limit = Some(self.expression()?);
        }
        if self.word("offset") {
            select.offset = Some(self.expression()?);
        }
        Ok(select)
    }

    fn projected(&mut self) -> Outcome<Projected> {
        let value = self.expression()?;
        let name = if self.word("as") { Some(self.name()?) } else { None };
        Ok(Projected { value, name })
    }

    fn source(&mut self) -> Outcome<Source> {
        let from = if let Kind::Parameter(name) = self.peek().clone() {
            self.at += 1;
            From::Named(name)
        } else if self.word("as_table") {
            self.expect("(")?;
            let list = self.expression()?;
            self.expect(")")?;
            From::List(list)
        } else {
            From::Table { name: self.table()?, view: None }
        };
        // The grammar has the view before the alias and takes it behind as well.
        let mut source = Source { from, alias: None };
        for _ in 0..2 {
            if self.word("view") {
                let index = self.name()?;
                if let From::Table { view, .. } = &mut source.from {
                    *view = Some(index);
                }
            } else if self.word("as") {
                source.alias = Some(self.name()?);
            } else if let Kind::Word(word) = self.peek().clone()
                && !RESERVED.contains(&word.to_ascii_lowercase().as_str())
            {
                self.at += 1;
                source.alias = Some(word);
            }
        }
        Ok(source)
    }

    fn join(&mut self) -> Outcome<Option<Join>> {
        let left = self.word("left");
        let inner = !left && self.word("inner");
        if !self.word("join") {
            return if left || inner { Err(self.unexpected("JOIN")) } else { Ok(None) };
        }
        let source = self.source()?;
        self.expect_word("on")?;
        Ok(Some(Join { left, source, on: self.expression()? }))
    }
}

/// Words, one after the other.
impl Parser<'_> {
    pub(super) fn peek(&self) -> &Kind {
        self.tokens.get(self.at).map_or(&Kind::End, |token| &token.kind)
    }

    pub(super) fn step(&mut self) -> Kind {
        let kind = self.peek().clone();
        self.at += 1;
        kind
    }

    pub(super) fn is_word(&self, word: &str) -> bool {
        is(self.peek(), word)
    }

    /// Takes a keyword if it is next.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        self.at += usize::from(found);
        found
    }

    pub(super) fn sign(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Kind::Sign(next) if *next == sign);
        self.at += usize::from(found);
        found
    }

    pub(super) fn expect(&mut self, sign: &str) -> Outcome<()> {
        if self.sign(sign) { Ok(()) } else { Err(self.unexpected(&format!("`{sign}`"))) }
    }

    pub(super) fn expect_word(&mut self, word: &str) -> Outcome<()> {
        if self.word(word) { Ok(()) } else { Err(self.unexpected(&word.to_uppercase())) }
    }

    pub(super) fn name(&mut self) -> Outcome<String> {
        match self.peek().clone() {
            Kind::Word(name) | Kind::Quoted(name) => {
                self.at += 1;
                Ok(name)
            }
            _ => Err(self.unexpected("a name")),
        }
    }

    pub(super) fn names(&mut self) -> Outcome<Vec<String>> {
        self.expect("(")?;
        let names = self.list(Self::name)?;
        self.expect(")")?;
        Ok(names)
    }

    /// A table's name, with the prefix unless it begins at the root.
    pub(super) fn table(&mut self) -> Outcome<String> {
        let name = self.name()?;
        Ok(match &self.prefix {
            Some(prefix) if !name.starts_with('/') => format!("{}/{name}", prefix.trim_end_matches('/')),
            _ => name,
        })
    }

    fn parameter(&mut self) -> Outcome<String> {
        match self.step() {
            Kind::Parameter(name) => Ok(name),
            _ => Err(self.unexpected("a parameter")),
        }
    }

    pub(super) fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Outcome<T>) -> Outcome<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.sign(",") {
            // A comma may stand behind the last.
            if matches!(self.peek(), Kind::Sign(")")) || self.is_word("from") {
                break;
            }
            items.push(item(self)?);
        }
        Ok(items)
    }

    pub(super) fn unexpected(&self, wanted: &str) -> Failure {
        let token = self.tokens.get(self.at).or(self.tokens.last());
        let before = token.and_then(|token| self.text.get(..token.at)).unwrap_or_default();
        let found = self.text.get(before.len()..).and_then(|rest| rest.split_whitespace().next()).unwrap_or("the end");
        Failure::generic(format!("{}: found `{found}` where {wanted} belongs", position(before)))
    }
}

fn is(kind: &Kind, word: &str) -> bool {
    matches!(kind, Kind::Word(next) if next.eq_ignore_ascii_case(word))
}
