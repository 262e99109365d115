//! Expressions and types from words.

use super::{
    ast::{Expr, Operator},
    lexer::Kind,
    parser::Parser,
};
use crate::{
    failure::{Failure, Outcome},
    literal::integer,
    value::{Primitive, Type, Value},
};

/// From the loosest to the tightest; `AND`, `OR`, `NOT` and comparisons stand above these.
const ARITHMETIC: &[&[(&str, Operator)]] = &[
    &[("??", Operator::Coalesce)],
    &[("+", Operator::Add), ("-", Operator::Subtract), ("||", Operator::Concat)],
    &[("*", Operator::Multiply)],
];

const COMPARISONS: &[(&str, Operator)] = &[
    ("==", Operator::Equal),
    ("=", Operator::Equal),
    ("!=", Operator::NotEqual),
    ("<>", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Outcome<Expr> {
        let mut left = self.conjunction()?;
        while self.word("or") {
            left = Expr::Binary(Operator::Or, Box::new(left), Box::new(self.conjunction()?));
        }
        Ok(left)
    }

    fn conjunction(&mut self) -> Outcome<Expr> {
        let mut left = self.negation()?;
        while self.word("and") {
            left = Expr::Binary(Operator::And, Box::new(left), Box::new(self.negation()?));
        }
        Ok(left)
    }

    fn negation(&mut self) -> Outcome<Expr> {
        if self.word("not") {
            return Ok(Expr::Not(Box::new(self.negation()?)));
        }
        let left = self.arithmetic(0)?;
        if self.word("is") {
            let negated = self.word("not");
            self.expect_word("null")?;
            return Ok(Expr::IsNull(Box::new(left), negated));
        }
        let negated = self.word("not");
        if self.word("in") {
            return Ok(Expr::In(Box::new(left), Box::new(self.arithmetic(0)?), negated));
        }
        if negated {
            return Err(self.unexpected("IN"));
        }
        for (sign, operator) in COMPARISONS {
            if self.sign(sign) {
                return Ok(Expr::Binary(*operator, Box::new(left), Box::new(self.arithmetic(0)?)));
            }
        }
        Ok(left)
    }

    fn arithmetic(&mut self, level: usize) -> Outcome<Expr> {
        let Some(operators) = ARITHMETIC.get(level) else { return self.primary() };
        let mut left = self.arithmetic(level + 1)?;
        'more: loop {
            for (sign, operator) in *operators {
                if self.sign(sign) {
                    left = Expr::Binary(*operator, Box::new(left), Box::new(self.arithmetic(level + 1)?));
                    continue 'more;
                }
            }
            return Ok(left);
        }
    }

    fn primary(&mut self) -> Outcome<Expr> {
        match self.peek().clone() {
            Kind::Parameter(name) => {
                self.step();
                Ok(Expr::Parameter(name))
            }
            Kind::Number(..) | Kind::Text(..) | Kind::Sign("-") => {
                let (value, kind) = self.literal()?;
                Ok(Expr::Literal(value, kind))
            }
            Kind::Sign("*") => {
                self.step();
                Ok(Expr::Star)
            }
            Kind::Sign("(") => {
                self.step();
                let mut items = self.list(Self::expression)?;
                self.expect(")")?;
                Ok(match items.pop() {
                    Some(only) if items.is_empty() => only,
                    last => Expr::Tuple(items.into_iter().chain(last).collect()),
                })
            }
            Kind::Word(_) if self.literal_is_next() => {
                let (value, kind) = self.literal()?;
                Ok(Expr::Literal(value, kind))
            }
            Kind::Word(_) | Kind::Quoted(_) => self.column_or_call(),
            _ => Err(self.unexpected("an expression")),
        }
    }

    fn literal_is_next(&self) -> bool {
        ["true", "false", "null"].iter().any(|word| self.is_word(word))
    }

    fn column_or_call(&mut self) -> Outcome<Expr> {
        let name = self.name()?;
        if self.sign(".") {
            return Ok(Expr::Column(Some(name), self.name()?));
        }
        if !self.sign("(") {
            return Ok(Expr::Column(None, name));
        }
        let arguments = if matches!(self.peek(), Kind::Sign(")")) { Vec::new() } else { self.list(Self::expression)? };
        self.expect(")")?;
        Ok(Expr::Call(name.to_ascii_lowercase(), arguments))
    }

    /// A constant: what may stand behind DEFAULT as well.
    pub(super) fn literal(&mut self) -> Outcome<(Value, Type)> {
        use Primitive as P;
        let negative = self.sign("-");
        let typed = |value, kind| Ok((value, Type::Primitive(kind)));
        match self.step() {
            Kind::Word(word) if word.eq_ignore_ascii_case("true") => typed(Value::Bool(true), P::Bool),
            Kind::Word(word) if word.eq_ignore_ascii_case("false") => typed(Value::Bool(false), P::Bool),
            Kind::Word(word) if word.eq_ignore_ascii_case("null") => Ok((Value::Null, Type::Null)),
            Kind::Text(text, suffix) => match suffix.as_str() {
                "" | "s" => typed(Value::Bytes(text.into_bytes()), P::String),
                "u" => typed(Value::Text(text), P::Utf8),
                "j" => typed(Value::Text(text), P::Json),
                other => Err(Failure::generic(format!("a text literal with the suffix {other}"))),
            },
            Kind::Number(digits, suffix) => number(&digits, &suffix.to_ascii_lowercase(), negative),
            _ => Err(self.unexpected("a literal")),
        }
    }

    pub(super) fn data_type(&mut self) -> Outcome<Type> {
        let name = self.name()?.to_ascii_lowercase();
        let mut kind = match name.as_str() {
            "optional" => self.within("<", ">", Self::data_type)?.optional(),
            "list" => Type::List(Box::new(self.within("<", ">", Self::data_type)?)),
            "tuple" => Type::Tuple(self.within("<", ">", |parser| parser.list(Self::data_type))?),
            "struct" => {
                let mut fields = self.within("<", ">", |parser| parser.list(Self::field))?;
                fields.sort_by(|one, other| one.0.cmp(&other.0));
                Type::Struct(fields)
            }
            simple => Type::Primitive(
                primitive(simple).ok_or_else(|| Failure::generic(format!("Unknown simple type '{name}'")))?,
            ),
        };
        while self.sign("?") {
            kind = kind.optional();
        }
        Ok(kind)
    }

    fn field(&mut self) -> Outcome<(String, Type)> {
        let name = match self.step() {
            Kind::Word(name) | Kind::Quoted(name) | Kind::Text(name, _) => name,
            _ => return Err(self.unexpected("a field")),
        };
        self.expect(":")?;
        Ok((name, self.data_type()?))
    }

    fn within<T>(&mut self, open: &str, close: &str, inner: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        self.expect(open)?;
        let value = inner(self)?;
        self.expect(close)?;
        Ok(value)
    }
}

fn number(digits: &str, suffix: &str, negative: bool) -> Outcome<(Value, Type)> {
    use Primitive as P;
    let wrong = || Failure::generic(format!("a number that is none: {digits}{suffix}"));
    if digits.contains('.') {
        let value: f64 = digits.parse().map_err(|_| wrong())?;
        let value = if negative { -value } else { value };
        return Ok((Value::Float(value.to_bits()), Type::Primitive(P::Double)));
    }
    let magnitude: i128 = digits.parse().map_err(|_| wrong())?;
    let value = if negative { -magnitude } else { magnitude };
    let kind = match suffix {
        "" if i32::try_from(value).is_ok() => P::Int32,
        "" | "l" => P::Int64,
        "u" => P::Uint32,
        "ul" => P::Uint64,
        "t" => P::Int8,
        "s" => P::Int16,
        "ut" => P::Uint8,
        "us" => P::Uint16,
        _ => return Err(wrong()),
    };
    integer(value, kind).map(|value| (value, Type::Primitive(kind))).ok_or_else(wrong)
}

fn primitive(name: &str) -> Option<Primitive> {
    use Primitive as P;
    Some(match name {
        "bool" => P::Bool,
        "int8" => P::Int8,
        "int16" => P::Int16,
        "int32" => P::Int32,
        "int64" => P::Int64,
        "uint8" => P::Uint8,
        "uint16" => P::Uint16,
        "uint32" => P::Uint32,
        "uint64" => P::Uint64,
        "float" => P::Float,
        "double" => P::Double,
        "date" => P::Date,
        "datetime" => P::Datetime,
        "timestamp" => P::Timestamp,
        "interval" => P::Interval,
        "string" | "bytes" => P::String,
        "utf8" | "text" => P::Utf8,
        "yson" => P::Yson,
        "json" => P::Json,
        "jsondocument" => P::JsonDocument,
        "uuid" => P::Uuid,
        _ => return None,
    })
}
