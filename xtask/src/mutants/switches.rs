//! Puts changes into a source file, each behind `crate::spoiled(number)`, and remembers where, so that what the compiler
//! says against the file finds the change it is about.

use std::{cmp::Reverse, collections::BTreeMap, ops::Range};

use proc_macro2::Span as Token;
use syn::{
    Arm, BinOp, Expr, ExprBinary, ExprStruct, ExprUnary, FieldValue, ImplItemFn, ItemFn, Member, Pat, Signature,
    spanned::Spanned,
    visit::{self, Visit},
};

use super::{Mutant, Place, Span};

/// What each room gets: whether a change is on, and, when asked, a line in a file for each change that is reached.
pub(super) const SPOILED: &str = r#"

#[doc(hidden)]
pub fn spoiled(number: u32) -> bool {
    use std::{collections::BTreeSet, fs::File, io::Write, sync::{LazyLock, Mutex}};
    static CHOSEN: LazyLock<u32> =
        LazyLock::new(|| std::env::var("SPOILED").ok().and_then(|text| text.parse().ok()).unwrap_or(0));
    static REACHED: LazyLock<Option<Mutex<(BTreeSet<u32>, File)>>> = LazyLock::new(|| {
        let path = std::env::var_os("SPOILED_REACHED")?;
        Some(Mutex::new((BTreeSet::new(), File::options().append(true).create(true).open(path).ok()?)))
    });
    if let Some(reached) = &*REACHED {
        if let Ok(mut reached) = reached.lock() {
            if reached.0.insert(number) {
                let _ = reached.1.write_all(format!("{number}\n").as_bytes());
            }
        }
    }
    *CHOSEN == number
}
"#;

/// A file with its switches.
pub(super) struct Switched {
    pub(super) text: String,
    /// Where each change stands in it.
    pub(super) places: Vec<(u32, Range<usize>)>,
    /// Changes for which no place was found.
    pub(super) lost: Vec<u32>,
}

/// `text` with these changes in it. `constant` names functions that stay `const`, whatever is in them.
///
/// # Errors
/// The file cannot be parsed.
pub(super) fn switch(text: &str, changes: &[(u32, &Mutant)], constant: &[String]) -> Result<Switched, String> {
    let file = syn::parse_file(text).map_err(|error| error.to_string())?;
    let mut found = Found::default();
    found.visit_file(&file);
    let lines = Lines::of(text);
    let mut sites = Sites::default();
    let mut lost = Vec::new();
    for (number, mutant) in changes {
        let range = lines.range(mutant.span);
        if sites.add(text, &found, *number, mutant, &range).is_none() {
            lost.push(*number);
            continue;
        }
        // A switch is read as the program runs.
        if let Some(function) = found.functions.iter().rfind(|function| function.body.contains(&range.start))
            && let Some(word) = &function.constant
            && !constant.contains(&function.name)
        {
            sites.0.insert(key(word), Site::Gone);
        }
    }
    let mut writer = Writer { source: text, sites: &sites.0, out: String::new(), places: Vec::new() };
    writer.copy(0..text.len(), None);
    Ok(Switched { text: writer.out, places: writer.places, lost })
}

/// Start of each line, to find a column of characters.
struct Lines<'a> {
    text: &'a str,
    starts: Vec<usize>,
}

impl<'a> Lines<'a> {
    fn of(text: &'a str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        Self { text, starts }
    }

    fn offset(&self, place: Place) -> usize {
        let start = self.starts.get(place.line - 1).copied().unwrap_or(self.text.len());
        let line = self.text.get(start..).unwrap_or_default();
        start + line.char_indices().nth(place.column - 1).map_or(line.len(), |(at, _)| at)
    }

    fn range(&self, span: Span) -> Range<usize> {
        self.offset(span.start)..self.offset(span.end)
    }
}

/// What of the file a change may be about, by the offset that `cargo-mutants` names.
#[derive(Default)]
struct Found {
    /// Operator → the whole expression.
    operations: BTreeMap<usize, Range<usize>>,
    /// Arm → its end of the pattern, its guard.
    arms: BTreeMap<usize, (usize, Option<Range<usize>>)>,
    /// Field → its value, what it is named, whether it is written in short, what the rest comes from.
    fields: BTreeMap<usize, Field>,
    functions: Vec<Function>,
}

struct Field {
    value: Range<usize>,
    name: String,
    short: bool,
    rest: Range<usize>,
}

struct Function {
    name: String,
    body: Range<usize>,
    constant: Option<Range<usize>>,
}

fn bytes(token: Token) -> Range<usize> {
    token.byte_range()
}

impl Found {
    fn function(&mut self, signature: &Signature, body: Range<usize>) {
        let constant = signature.constness.as_ref().map(|word| bytes(word.span));
        self.functions.push(Function { name: signature.ident.to_string(), body, constant });
    }

    fn field(&mut self, field: &FieldValue, rest: &Expr) {
        let Member::Named(name) = &field.member else { return };
        let found = Field {
            value: bytes(field.expr.span()),
            name: name.to_string(),
            short: field.colon_token.is_none(),
            rest: bytes(rest.span()),
        };
        self.fields.insert(bytes(field.span()).start, found);
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item_fn(&mut self, item: &'ast ItemFn) {
        self.function(&item.sig, bytes(item.block.span()));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast ImplItemFn) {
        self.function(&item.sig, bytes(item.block.span()));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_expr_binary(&mut self, expression: &'ast ExprBinary) {
        self.operations.insert(operator(&expression.op).start, bytes(expression.span()));
        visit::visit_expr_binary(self, expression);
    }

    fn visit_expr_unary(&mut self, expression: &'ast ExprUnary) {
        self.operations.insert(bytes(expression.op.span()).start, bytes(expression.span()));
        visit::visit_expr_unary(self, expression);
    }

    fn visit_arm(&mut self, arm: &'ast Arm) {
        let end_and_guard = match &arm.pat {
            Pat::Guard(guarded) => (bytes(guarded.pat.span()).end, Some(bytes(guarded.guard.span()))),
            pattern => (bytes(pattern.span()).end, None),
        };
        self.arms.insert(bytes(arm.span()).start, end_and_guard);
        visit::visit_arm(self, arm);
    }

    fn visit_expr_struct(&mut self, expression: &'ast ExprStruct) {
        if let Some(rest) = &expression.rest {
            for field in &expression.fields {
                self.field(field, rest);
            }
        }
        visit::visit_expr_struct(self, expression);
    }
}

fn operator(operator: &BinOp) -> Range<usize> {
    bytes(operator.span())
}

/// By start; at one start the insertion first, then the widest.
type Key = (usize, bool, Reverse<usize>);

enum Site {
    /// Statements before what stands there: number and value to return.
    Return(Vec<(u32, String)>),
    /// Instead of an expression; what stands before the whole (`name: `).
    Instead { before: String, others: Vec<(u32, String)> },
    /// After a pattern: the arm is passed by.
    Unless(u32),
    /// A word that is not copied.
    Gone,
}

#[derive(Default)]
struct Sites(BTreeMap<Key, Site>);

fn key(range: &Range<usize>) -> Key {
    (range.start, true, Reverse(range.end))
}

impl Sites {
    /// Nothing where the file has no such place.
    fn add(&mut self, text: &str, found: &Found, number: u32, mutant: &Mutant, range: &Range<usize>) -> Option<()> {
        match mutant.genre.as_str() {
            "FnValue" => {
                let site = self.0.entry((range.start, false, Reverse(range.start)));
                let Site::Return(all) = site.or_insert_with(|| Site::Return(Vec::new())) else { return None };
                all.push((number, mutant.replacement.clone()));
            }
            "BinaryOperator" | "UnaryOperator" => {
                let whole = found.operations.get(&range.start)?;
                let (before, after) = (text.get(whole.start..range.start)?, text.get(range.end..whole.end)?);
                self.instead(whole, number, format!("{before}{}{after}", mutant.replacement));
            }
            "MatchArmGuard" => self.instead(range, number, mutant.replacement.clone()),
            "MatchArm" => match found.arms.get(&range.start)? {
                (_, Some(guard)) => self.instead(guard, number, "false".to_owned()),
                (end, None) => {
                    self.0.insert((*end, false, Reverse(*end)), Site::Unless(number));
                }
            },
            "StructField" => {
                let field = found.fields.get(&range.start)?;
                let other = format!("({}).{}", text.get(field.rest.clone())?, field.name);
                self.instead(&field.value, number, other);
                if field.short
                    && let Some(Site::Instead { before, .. }) = self.0.get_mut(&key(&field.value))
                {
                    *before = format!("{}: ", field.name);
                }
            }
            _ => return None,
        }
        Some(())
    }

    fn instead(&mut self, range: &Range<usize>, number: u32, other: String) {
        let site = self.0.entry(key(range));
        let empty = || Site::Instead { before: String::new(), others: Vec::new() };
        if let Site::Instead { others, .. } = site.or_insert_with(empty) {
            others.push((number, other));
        }
    }
}

struct Writer<'a> {
    source: &'a str,
    sites: &'a BTreeMap<Key, Site>,
    out: String,
    places: Vec<(u32, Range<usize>)>,
}

impl Writer<'_> {
    /// Copies a part of the source with the sites within it; `within` is the site whose inside this is.
    fn copy(&mut self, part: Range<usize>, within: Option<Key>) {
        let mut at = part.start;
        let sites = self.sites;
        for (key, site) in sites.range((part.start, false, Reverse(usize::MAX))..) {
            let (start, _, Reverse(end)) = *key;
            if start > part.end || (start == part.end && within.is_some()) {
                break;
            }
            // Around or beside this part, already written, or the site itself.
            if start < at || end > part.end || within.is_some_and(|around| *key <= around) {
                continue;
            }
            self.plain(at..start);
            at = self.site(*key, site);
        }
        self.plain(at..part.end);
    }

    fn plain(&mut self, part: Range<usize>) {
        self.out.push_str(self.source.get(part).unwrap_or_default());
    }

    /// Writes a site; answers where the source goes on.
    fn site(&mut self, key: Key, site: &Site) -> usize {
        let (start, _, Reverse(end)) = key;
        match site {
            Site::Return(values) => {
                for (number, value) in values {
                    self.marked(*number, |out| {
                        out.push_str(&format!("if crate::spoiled({number}) {{ return {value}; }} "));
                    });
                }
            }
            Site::Unless(number) => {
                self.marked(*number, |out| out.push_str(&format!(" if !crate::spoiled({number})")));
            }
            Site::Gone => {}
            Site::Instead { before, others } => {
                self.out.push_str(before);
                self.out.push('(');
                for (number, other) in others {
                    self.marked(*number, |out| {
                        out.push_str(&format!("if crate::spoiled({number}) {{ {other} }} else "));
                    });
                }
                self.out.push_str("{ ");
                self.copy(start..end, Some(key));
                self.out.push_str(" })");
            }
        }
        end
    }

    fn marked(&mut self, number: u32, write: impl FnOnce(&mut String)) {
        let start = self.out.len();
        write(&mut self.out);
        self.places.push((number, start..self.out.len()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCE: &str = "\
const fn next(n: u32) -> u32 {
    n + 1
}
fn é(a: u32, b: u32, old: Point) -> Point {
    match a {
        x if x < b => old,
        1 => Point { x: !a, y, ..old },
        _ => old,
    }
}
";

    fn mutant(genre: &str, what: &str, replacement: &str) -> Mutant {
        let start = SOURCE.find(what).unwrap();
        let place = |offset: usize| {
            let before = &SOURCE[..offset];
            let line_start = before.rfind('\n').map_or(0, |at| at + 1);
            Place { line: before.matches('\n').count() + 1, column: before[line_start..].chars().count() + 1 }
        };
        Mutant {
            name: what.to_owned(),
            package: "userd-model".to_owned(),
            file: "lib.rs".to_owned(),
            genre: genre.to_owned(),
            replacement: replacement.to_owned(),
            span: Span { start: place(start), end: place(start + what.len()) },
        }
    }

    fn switched(mutants: &[Mutant], constant: &[String]) -> Switched {
        let numbered: Vec<(u32, &Mutant)> = (1..).zip(mutants).collect();
        switch(SOURCE, &numbered, constant).unwrap()
    }

    #[test]
    fn every_kind_of_change_stands_behind_its_switch() {
        let mutants = [
            mutant("FnValue", "n + 1", "0"),
            mutant("BinaryOperator", "+", "-"),
            mutant("BinaryOperator", "+", "*"),
            mutant("MatchArmGuard", "x < b", "true"),
            mutant("BinaryOperator", "<", ">"),
            mutant("MatchArm", "1 => Point", ""),
            mutant("UnaryOperator", "!", ""),
            mutant("StructField", "x: !a", ""),
            mutant("StructField", "y,", ""),
        ];
        let switched = switched(&mutants, &[]);
        assert_eq!(switched.lost, Vec::<u32>::new());
        syn::parse_file(&switched.text).unwrap();
        for expected in [
            "\n fn next",
            "if crate::spoiled(1) { return 0; } (if crate::spoiled(2) { n - 1 } else if crate::spoiled(3) { n * 1 } else { n + 1 })",
            "x if (if crate::spoiled(4) { true } else if crate::spoiled(5) { x > b } else { x < b }) =>",
            "1 if !crate::spoiled(6) => Point",
            "x: (if crate::spoiled(7) { a } else if crate::spoiled(8) { (old).x } else { !a })",
            "y: (if crate::spoiled(9) { (old).y } else { y })",
        ] {
            assert!(format!("\n{}", switched.text).contains(expected), "{expected}\n{}", switched.text);
        }
        for (number, place) in &switched.places {
            assert!(switched.text[place.clone()].contains(&format!("spoiled({number})")));
        }
    }

    #[test]
    fn a_function_that_must_be_constant_stays_so_and_an_unknown_place_is_told() {
        let mutants = [mutant("FnValue", "n + 1", "0"), mutant("BinaryOperator", "old", "-")];
        let switched = switched(&mutants, &["next".to_owned()]);
        assert!(switched.text.starts_with("const fn next"));
        assert_eq!(switched.lost, [2]);
    }
}
