//! YQL, as much of it as the engine sends: words, trees and the reader that makes trees of words.

pub(crate) mod ast;
mod ddl;
mod expressions;
mod lexer;
mod parser;

pub(crate) use parser::parse;
