//! The generated servers' sides of the services.
#![allow(missing_docs, unreachable_pub, clippy::all, reason = "written by tonic")]

pub(crate) mod auth {
    include!(concat!(env!("OUT_DIR"), "/Ydb.Auth.V1.AuthService.rs"));
}
pub(crate) mod discovery {
    include!(concat!(env!("OUT_DIR"), "/Ydb.Discovery.V1.DiscoveryService.rs"));
}
pub(crate) mod query {
    include!(concat!(env!("OUT_DIR"), "/Ydb.Query.V1.QueryService.rs"));
}
pub(crate) mod scheme {
    include!(concat!(env!("OUT_DIR"), "/Ydb.Scheme.V1.SchemeService.rs"));
}
pub(crate) mod table {
    include!(concat!(env!("OUT_DIR"), "/Ydb.Table.V1.TableService.rs"));
}
