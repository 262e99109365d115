//! Server stubs of the services that the emulator offers. `ydb-grpc` has the messages and the clients' side only; this
//! needs neither protoc nor the .proto files.

use tonic_build::manual::{Builder, Method, Service};

/// Package, service, module of the messages, and its calls; a star marks a stream of answers.
const SERVICES: &[(&str, &str, &str, &[&str])] = &[
    ("Ydb.Auth.V1", "AuthService", "auth", &["Login"]),
    ("Ydb.Discovery.V1", "DiscoveryService", "discovery", &["ListEndpoints", "WhoAmI"]),
    (
        "Ydb.Scheme.V1",
        "SchemeService",
        "scheme",
        &["MakeDirectory", "RemoveDirectory", "ListDirectory", "DescribePath"],
    ),
    (
        "Ydb.Table.V1",
        "TableService",
        "table",
        &["CreateSession", "DeleteSession", "KeepAlive", "DescribeTable", "ExecuteSchemeQuery"],
    ),
    (
        "Ydb.Query.V1",
        "QueryService",
        "query",
        &[
            "CreateSession",
            "DeleteSession",
            "AttachSession*",
            "BeginTransaction",
            "CommitTransaction",
            "RollbackTransaction",
            "ExecuteQuery*",
        ],
    ),
];

fn main() {
    let services: Vec<_> = SERVICES.iter().map(service).collect();
    Builder::new().build_client(false).build_transport(false).compile(&services);
}

fn service((package, name, module, calls): &(&str, &str, &str, &[&str])) -> Service {
    let service = Service::builder().name(*name).package(*package);
    calls.iter().fold(service, |service, call| service.method(method(module, call))).build()
}

fn method(module: &str, call: &str) -> Method {
    let name = call.trim_end_matches('*');
    let message = |suffix: &str| format!("ydb_grpc::ydb_proto::{module}::{name}{suffix}");
    let answer = match call {
        "AttachSession*" => message("").replace("AttachSession", "SessionState"),
        "ExecuteQuery*" => message("ResponsePart"),
        _ => message("Response"),
    };
    let method = Method::builder()
        .name(snake(name))
        .route_name(name)
        .input_type(message("Request"))
        .output_type(answer)
        .codec_path("tonic_prost::ProstCodec");
    if call.ends_with('*') { method.server_streaming().build() } else { method.build() }
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.extend(c.to_lowercase());
    }
    text
}
