//! The older service, as much of it as describing tables needs.

use tonic::{Request, Response, Status, async_trait};
use ydb_grpc::ydb_proto::table::{
    CreateSessionRequest, CreateSessionResponse, CreateSessionResult, DeleteSessionRequest, DeleteSessionResponse,
    DescribeTableRequest, DescribeTableResponse, ExecuteSchemeQueryRequest, ExecuteSchemeQueryResponse,
    KeepAliveRequest, KeepAliveResponse, KeepAliveResult, keep_alive_result::SessionStatus,
};

use super::{Node, describe::describe, operation};
use crate::{
    failure::Failure, faults::Phase, locked, plan::Parameters, stubs::table::table_service_server::TableService,
};

#[async_trait]
impl TableService for Node {
    async fn create_session(
        &self,
        request: Request<CreateSessionRequest>,
    ) -> Result<Response<CreateSessionResponse>, Status> {
        self.enter("Table/CreateSession", request)?;
        let opened = || {
            let session_id = self.server.open_session(self.number)?;
            Ok(CreateSessionResult { session_id })
        };
        let outcome = self.scripted(Phase::CreateSession, opened).await?;
        Ok(Response::new(CreateSessionResponse { operation: operation("Table.CreateSessionResult", outcome) }))
    }

    async fn delete_session(
        &self,
        request: Request<DeleteSessionRequest>,
    ) -> Result<Response<DeleteSessionResponse>, Status> {
        let id = self.enter("Table/DeleteSession", request)?.session_id;
        let outcome = if self.server.close_session(&id) { Ok(()) } else { Err(Failure::bad_session(&id)) };
        Ok(Response::new(DeleteSessionResponse { operation: operation("Empty", outcome) }))
    }

    async fn keep_alive(&self, request: Request<KeepAliveRequest>) -> Result<Response<KeepAliveResponse>, Status> {
        let id = self.enter("Table/KeepAlive", request)?.session_id;
        let outcome = self.server.with_session(&id, self.number, |session| {
            let status = if session.busy { SessionStatus::Busy } else { SessionStatus::Ready };
            Ok(KeepAliveResult { session_status: status as i32 })
        });
        Ok(Response::new(KeepAliveResponse { operation: operation("Table.KeepAliveResult", outcome) }))
    }

    async fn describe_table(
        &self,
        request: Request<DescribeTableRequest>,
    ) -> Result<Response<DescribeTableResponse>, Status> {
        let path = self.enter("Table/DescribeTable", request)?.path;
        let store = locked(&self.server.store);
        let outcome = store.table(&store.path(&path)).map(|table| describe(&path, &table.schema));
        Ok(Response::new(DescribeTableResponse { operation: operation("Table.DescribeTableResult", outcome) }))
    }

    async fn execute_scheme_query(
        &self,
        request: Request<ExecuteSchemeQueryRequest>,
    ) -> Result<Response<ExecuteSchemeQueryResponse>, Status> {
        let text = self.enter("Table/ExecuteSchemeQuery", request)?.yql_text;
        let outcome = self.server.execute(&text, Parameters::new(), None).map(drop);
        Ok(Response::new(ExecuteSchemeQueryResponse { operation: operation("Empty", outcome) }))
    }
}
