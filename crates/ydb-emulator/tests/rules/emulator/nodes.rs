//! Nodes and tokens.

use tonic::{
    Code, Request,
    transport::{Certificate, Channel, ClientTlsConfig},
};
use ydb_emulator::{Emulator, Options, StatusCode, Tls};
use ydb_grpc::{
    google_proto_workaround::protobuf::Any,
    ydb_proto::{
        auth::{LoginRequest, LoginResult, v1::auth_service_client::AuthServiceClient},
        discovery::{ListEndpointsRequest, ListEndpointsResult, v1::discovery_service_client::DiscoveryServiceClient},
        operations::Operation,
        query::session_state::SessionHint,
        scheme::{ListDirectoryRequest, ListDirectoryResult, v1::scheme_service_client::SchemeServiceClient},
        table::{DescribeTableRequest, DescribeTableResult, v1::table_service_client::TableServiceClient},
    },
};

use crate::client::{Database, Session, channel};

fn result<T: prost::Message + Default>(operation: Option<Operation>) -> T {
    let operation = operation.unwrap();
    assert_eq!(operation.status, StatusCode::Success as i32, "{:?}", operation.issues);
    let Any { value, .. } = operation.result.unwrap();
    T::decode(value.as_slice()).unwrap()
}

async fn ports(database: &Database) -> Vec<u32> {
    let mut discovery = DiscoveryServiceClient::new(channel(&database.emulator().connection_string()).await);
    let request = ListEndpointsRequest { database: "/local".to_owned(), service: vec![] };
    let answer = discovery.list_endpoints(request).await.unwrap().into_inner();
    let listed: ListEndpointsResult = result(answer.operation);
    listed.endpoints.into_iter().map(|endpoint| endpoint.port).collect()
}

async fn session_at(port: u32) -> Result<Session, crate::client::Refused> {
    Session::open(channel(&format!("grpc://127.0.0.1:{port}/local")).await, "").await
}

#[tokio::test]
async fn a_session_lives_on_its_node_and_all_nodes_have_the_same_tables() {
    let database = Database::start(Options { nodes: 3, ..Options::default() }).await;
    let ports = ports(&database).await;
    assert_eq!(ports.len(), 3);
    let (one, mut other) = (session_at(ports[0]).await.unwrap(), session_at(ports[1]).await.unwrap());
    one.alter("CREATE TABLE {items} (id Utf8 NOT NULL, PRIMARY KEY (id))").await.unwrap();
    other.run("UPSERT INTO {items} (id) VALUES ('a')", &[]).await.unwrap();
    other.id.clone_from(&one.id);
    assert_eq!(other.run("SELECT 1", &[]).await.err().unwrap().status, StatusCode::BadSession);
}

#[tokio::test]
async fn a_node_that_will_stop_says_so_and_takes_no_new_sessions() {
    let database = Database::start(Options { nodes: 2, ..Options::default() }).await;
    let before = ports(&database).await;
    let mut one = session_at(before[1]).await.unwrap();
    database.emulator().shut_node_down(1);
    let hint = one.attached.message().await.unwrap().unwrap().session_hint;
    assert!(matches!(hint, Some(SessionHint::NodeShutdown(_))), "{hint:?}");
    assert_eq!(ports(&database).await, [before[0]]);
    assert_eq!(session_at(before[1]).await.err().unwrap().status, StatusCode::Unavailable);
    one.run("SELECT 1", &[]).await.unwrap();
    database.emulator().kill_node(1);
    assert_eq!(one.run("SELECT 1", &[]).await.err().unwrap().transport, Some(Code::Unavailable));
    database.emulator().revive_node(1);
    assert_eq!(one.run("SELECT 1", &[]).await.err().unwrap().status, StatusCode::BadSession);
    assert_eq!(ports(&database).await, before);
}

#[tokio::test]
async fn without_a_token_from_login_nothing_is_answered() {
    let credentials = Some(("root".to_owned(), "secret".to_owned()));
    let database = Database::start(Options { credentials, ..Options::default() }).await;
    let address = database.emulator().connection_string();
    let refused = Session::open(channel(&address).await, "").await.err().unwrap();
    assert_eq!(refused.transport, Some(Code::Unauthenticated));
    let mut auth = AuthServiceClient::new(channel(&address).await);
    let login =
        |password: &str| LoginRequest { user: "root".to_owned(), password: password.to_owned(), ..Default::default() };
    let wrong = auth.login(login("guess")).await.unwrap().into_inner().operation.unwrap();
    assert_eq!(wrong.status, StatusCode::Unauthorized as i32);
    let token = result::<LoginResult>(auth.login(login("secret")).await.unwrap().into_inner().operation).token;
    assert_eq!(token.split('.').count(), 3, "a JWT in form");
    let mut request = Request::new(ListEndpointsRequest::default());
    request.metadata_mut().insert("x-ydb-auth-ticket", token.parse().unwrap());
    DiscoveryServiceClient::new(channel(&address).await).list_endpoints(request).await.unwrap();
}

#[tokio::test]
async fn with_a_certificate_it_speaks_http2_over_tls() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let (certificate, key) = (made.cert.pem(), made.signing_key.serialize_pem());
    let options = Options { tls: Some(Tls { certificate: certificate.clone(), key }), ..Options::default() };
    let emulator = Emulator::start(options).await.unwrap();
    let address = emulator.connection_string();
    assert!(address.starts_with("grpcs://localhost:"), "{address}");
    let authority = Certificate::from_pem(certificate);
    let endpoint = Channel::from_shared(address.replace("grpcs", "https")).unwrap();
    let trusting = ClientTlsConfig::new().ca_certificate(authority);
    let trusted = endpoint.clone().tls_config(trusting).unwrap().connect().await.unwrap();
    Session::open(trusted, "").await.unwrap();
    let strange = endpoint.tls_config(ClientTlsConfig::new());
    assert!(strange.unwrap().connect().await.is_err(), "a certificate that nobody knows");
}

#[tokio::test]
async fn a_table_is_described_as_it_was_made() {
    let database = Database::new().await;
    let one = database.session().await;
    one.alter(
        "CREATE TABLE `iam/items` (id Utf8 NOT NULL, n Int64 NOT NULL, until Timestamp,
            INDEX by_n GLOBAL SYNC ON (n) COVER (until), PRIMARY KEY (id))
            WITH (AUTO_PARTITIONING_BY_LOAD = ENABLED, AUTO_PARTITIONING_MIN_PARTITIONS_COUNT = 4,
                  TTL = Interval(\"PT0S\") ON until)",
    )
    .await
    .unwrap();
    let address = database.emulator().connection_string();
    let request = DescribeTableRequest { path: "/local/iam/items".to_owned(), ..Default::default() };
    let answer = TableServiceClient::new(channel(&address).await).describe_table(request).await.unwrap();
    let described: DescribeTableResult = result(answer.into_inner().operation);
    let names: Vec<_> = described.columns.iter().map(|column| (column.name.as_str(), column.not_null)).collect();
    assert_eq!(names, [("id", Some(true)), ("n", Some(true)), ("until", Some(false))]);
    assert_eq!(described.primary_key, ["id"]);
    assert_eq!(described.indexes[0].index_columns, ["n"]);
    assert_eq!(described.indexes[0].data_columns, ["until"]);
    assert!(described.ttl_settings.is_some());
    assert_eq!(described.partitioning_settings.unwrap().min_partitions_count, 4);
    let request = ListDirectoryRequest { path: "/local".to_owned(), ..Default::default() };
    let answer = SchemeServiceClient::new(channel(&address).await).list_directory(request).await.unwrap();
    let listed: ListDirectoryResult = result(answer.into_inner().operation);
    assert_eq!(listed.children.iter().map(|entry| entry.name.as_str()).collect::<Vec<_>>(), ["iam"]);
}

#[tokio::test]
async fn a_node_has_a_thousand_sessions_at_most() {
    let database = Database::new().await;
    let mut calls = database.session().await.calls.clone();
    let mut refused = 0;
    for _ in 0..1_001 {
        let answer = calls.create_session(ydb_grpc::ydb_proto::query::CreateSessionRequest {}).await.unwrap();
        refused += u32::from(answer.into_inner().status == StatusCode::Overloaded as i32);
    }
    assert!((1..=2).contains(&refused), "{refused}");
}
