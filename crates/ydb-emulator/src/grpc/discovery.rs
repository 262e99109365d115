//! Which nodes there are.

use std::sync::atomic::Ordering;

use tonic::{Request, Response, Status, async_trait};
use ydb_grpc::ydb_proto::discovery::{
    EndpointInfo, ListEndpointsRequest, ListEndpointsResponse, ListEndpointsResult, WhoAmIRequest, WhoAmIResponse,
    WhoAmIResult,
};

use super::{Node, operation};
use crate::{faults::Phase, stubs::discovery::discovery_service_server::DiscoveryService};

#[async_trait]
impl DiscoveryService for Node {
    async fn list_endpoints(
        &self,
        request: Request<ListEndpointsRequest>,
    ) -> Result<Response<ListEndpointsResponse>, Status> {
        self.enter("Discovery/ListEndpoints", request)?;
        let outcome = self
            .scripted(Phase::Discovery, || {
                let serving =
                    self.server.nodes.iter().enumerate().filter(|(_, node)| {
                        !node.leaving.load(Ordering::Relaxed) && !node.dead.load(Ordering::Relaxed)
                    });
                let endpoints = serving.map(|(number, node)| EndpointInfo {
                    address: self.server.host().to_owned(),
                    ssl: self.server.options.tls.is_some(),
                    port: node.port.into(),
                    node_id: u32::try_from(number + 1).unwrap_or_default(),
                    location: "local".to_owned(),
                    ..Default::default()
                });
                Ok(ListEndpointsResult { endpoints: endpoints.collect(), self_location: "local".to_owned() })
            })
            .await?;
        Ok(Response::new(ListEndpointsResponse { operation: operation("Discovery.ListEndpointsResult", outcome) }))
    }

    async fn who_am_i(&self, request: Request<WhoAmIRequest>) -> Result<Response<WhoAmIResponse>, Status> {
        self.enter("Discovery/WhoAmI", request)?;
        let user = self.server.options.credentials.as_ref().map_or("anonymous", |(user, _)| user);
        let result = WhoAmIResult { user: user.to_owned(), ..Default::default() };
        Ok(Response::new(WhoAmIResponse { operation: operation("Discovery.WhoAmIResult", Ok(result)) }))
    }
}
