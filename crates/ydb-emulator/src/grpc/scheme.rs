//! Directories and what is in them.

use std::collections::BTreeMap;

use tonic::{Request, Response, Status, async_trait};
use ydb_grpc::ydb_proto::scheme::{
    DescribePathRequest, DescribePathResponse, DescribePathResult, Entry, ListDirectoryRequest, ListDirectoryResponse,
    ListDirectoryResult, MakeDirectoryRequest, MakeDirectoryResponse, RemoveDirectoryRequest, RemoveDirectoryResponse,
    entry::Type as EntryType,
};

use super::{Node, operation};
use crate::{
    failure::{Failure, Outcome},
    locked,
    stubs::scheme::scheme_service_server::SchemeService,
};

#[async_trait]
impl SchemeService for Node {
    async fn make_directory(
        &self,
        request: Request<MakeDirectoryRequest>,
    ) -> Result<Response<MakeDirectoryResponse>, Status> {
        // A table brings its directories along; an empty one shows nowhere.
        self.enter("Scheme/MakeDirectory", request)?;
        Ok(Response::new(MakeDirectoryResponse { operation: operation("Empty", Ok(())) }))
    }

    async fn remove_directory(
        &self,
        request: Request<RemoveDirectoryRequest>,
    ) -> Result<Response<RemoveDirectoryResponse>, Status> {
        let path = self.enter("Scheme/RemoveDirectory", request)?.path;
        let outcome = match self.children(&path) {
            Ok(children) if !children.is_empty() => Err(Failure::scheme(format!("{path} is not empty"))),
            Ok(_) | Err(_) => Ok(()),
        };
        Ok(Response::new(RemoveDirectoryResponse { operation: operation("Empty", outcome) }))
    }

    async fn list_directory(
        &self,
        request: Request<ListDirectoryRequest>,
    ) -> Result<Response<ListDirectoryResponse>, Status> {
        let path = self.enter("Scheme/ListDirectory", request)?.path;
        let outcome = self
            .children(&path)
            .map(|children| ListDirectoryResult { self_: Some(entry(&path, EntryType::Directory)), children });
        Ok(Response::new(ListDirectoryResponse { operation: operation("Scheme.ListDirectoryResult", outcome) }))
    }

    async fn describe_path(
        &self,
        request: Request<DescribePathRequest>,
    ) -> Result<Response<DescribePathResponse>, Status> {
        let path = self.enter("Scheme/DescribePath", request)?.path;
        let is_table = locked(&self.server.store).tables.contains_key(&path);
        let found = if is_table { Ok(EntryType::Table) } else { self.children(&path).map(|_| EntryType::Directory) };
        let outcome = found.map(|kind| DescribePathResult { self_: Some(entry(&path, kind)) });
        Ok(Response::new(DescribePathResponse { operation: operation("Scheme.DescribePathResult", outcome) }))
    }
}

impl Node {
    /// What is directly below a directory.
    fn children(&self, path: &str) -> Outcome<Vec<Entry>> {
        let folder = format!("{}/", path.trim_end_matches('/'));
        let mut found = BTreeMap::new();
        for table in locked(&self.server.store).tables.keys() {
            let Some(rest) = table.strip_prefix(&folder) else { continue };
            let (name, kind) = match rest.split_once('/') {
                Some((directory, _)) => (directory, EntryType::Directory),
                None => (rest, EntryType::Table),
            };
            found.insert(name.to_owned(), kind);
        }
        let database = path.trim_end_matches('/') == self.server.options.database;
        if found.is_empty() && !database {
            return Err(Failure::scheme(format!("Path not found: {path}")));
        }
        Ok(found.iter().map(|(name, kind)| entry(name, *kind)).collect())
    }
}

pub(super) fn entry(path: &str, kind: EntryType) -> Entry {
    let name = path.rsplit('/').next().unwrap_or(path).to_owned();
    Entry { name, owner: "root@builtin".to_owned(), r#type: kind as i32, ..Default::default() }
}
