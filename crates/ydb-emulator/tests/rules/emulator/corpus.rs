//! Every statement that the engine has runs: parsed, typed, and without a scan. The texts are those that
//! `cargo xtask statements` has written.

use std::path::Path;

use ydb_grpc::ydb_proto::{
    ListType, OptionalType, StructMember, StructType, Type, TypedValue, Value,
    r#type::{PrimitiveTypeId as P, Type as Kind},
    value::Value as Simple,
};

use crate::client::{Database, simple};

fn corpus(name: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../storage-ydb/schema").join(name);
    let text = std::fs::read_to_string(path).unwrap();
    text.split("\n\n").map(str::trim).filter(|part| part.contains(';')).map(str::to_owned).collect()
}

#[tokio::test]
async fn every_statement_of_the_engine_runs() {
    let database = Database::new().await;
    let one = database.session().await;
    let schema = corpus("schema.yql").join("\n");
    for text in schema.split(';').map(str::trim).filter(|text| !text.is_empty()) {
        one.alter(text).await.unwrap_or_else(|refused| panic!("{refused:?}\n{text}"));
    }
    let statements = corpus("statements.yql");
    assert!(statements.len() > 100, "{}", statements.len());
    let mut failed = Vec::new();
    for text in &statements {
        let given: Vec<_> = text.lines().filter_map(declared).collect();
        let given: Vec<_> = given.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        // Rolled back, so that no statement meets the rows of another.
        match one.first(text, &given).await {
            Ok(done) => one.roll_back(&done.tx).await.unwrap(),
            Err(refused) => failed.push(format!("{refused:?}\n{text}")),
        }
    }
    assert!(failed.is_empty(), "{} of {}:\n{}", failed.len(), statements.len(), failed.join("\n\n"));
}

/// `DECLARE $name AS Type;` and some value of the type.
fn declared(line: &str) -> Option<(String, TypedValue)> {
    let (name, kind) = line.strip_prefix("DECLARE $")?.strip_suffix(';')?.split_once(" AS ")?;
    let kind = data_type(&mut kind.trim());
    let value = sample(&kind);
    Some((name.to_owned(), TypedValue { r#type: Some(kind), value: Some(value) }))
}

fn data_type(rest: &mut &str) -> Type {
    let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
    let (name, after) = rest.split_at(end);
    *rest = after;
    let kind = match name {
        "Optional" => Kind::OptionalType(Box::new(OptionalType { item: Some(Box::new(inner(rest))) })),
        "List" => Kind::ListType(Box::new(ListType { item: Some(Box::new(inner(rest))) })),
        "Struct" => Kind::StructType(StructType { members: members(rest) }),
        "Utf8" => return simple(P::Utf8),
        "String" => return simple(P::String),
        "Int64" => return simple(P::Int64),
        "Uint64" => return simple(P::Uint64),
        "Bool" => return simple(P::Bool),
        "Timestamp" => return simple(P::Timestamp),
        "Json" => return simple(P::Json),
        other => panic!("{other} is new in the corpus"),
    };
    Type { r#type: Some(kind) }
}

fn inner(rest: &mut &str) -> Type {
    *rest = rest.strip_prefix('<').unwrap();
    let kind = data_type(rest);
    *rest = rest.strip_prefix('>').unwrap();
    kind
}

fn members(rest: &mut &str) -> Vec<StructMember> {
    *rest = rest.strip_prefix('<').unwrap();
    let mut members = Vec::new();
    while !rest.starts_with('>') {
        let (name, after) = rest.split_once(':').unwrap();
        *rest = after;
        members.push(StructMember { name: name.to_owned(), r#type: Some(data_type(rest)) });
        *rest = rest.strip_prefix(',').unwrap_or(rest);
    }
    *rest = rest.strip_prefix('>').unwrap();
    members
}

/// Texts are valid JSON too; a list has one item, so that it is more than its type.
fn sample(kind: &Type) -> Value {
    let simple = |value| Value { value: Some(value), ..Default::default() };
    match kind.r#type.as_ref().unwrap() {
        Kind::TypeId(id) => simple(match P::try_from(*id).unwrap() {
            P::String => Simple::BytesValue(b"1".to_vec()),
            P::Int64 => Simple::Int64Value(1),
            P::Uint64 | P::Timestamp => Simple::Uint64Value(1),
            P::Bool => Simple::BoolValue(true),
            _ => Simple::TextValue("1".to_owned()),
        }),
        Kind::OptionalType(optional) => sample(optional.item.as_ref().unwrap()),
        Kind::ListType(list) => Value { items: vec![sample(list.item.as_ref().unwrap())], ..Default::default() },
        Kind::StructType(fields) => Value {
            items: fields.members.iter().map(|member| sample(member.r#type.as_ref().unwrap())).collect(),
            ..Default::default()
        },
        other => panic!("{other:?}"),
    }
}
