//! `userd serve`: wires, listens, says where, and drains before it stops.

use std::{net::SocketAddr, process::ExitCode, sync::Arc, time::Duration};

use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::{TcpListener, TcpSocket},
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use userd_http::{
    Api, BuildInfo,
    router::{self, Side},
};
use userd_storage::engines::sqlite::ServiceLock;
use userd_web::{
    RequestOptions,
    client_address::TrustedProxies,
    cors::Cors,
    cursor::Cursors,
    server::{self, Draining, ServerOptions},
};

use crate::{
    commands::doctor,
    config::Config,
    reload::{Reload, Reloadable},
    signals::{self, Harmless},
    wiring::{
        Wired, WiringError,
        engine::{Opening, await_server, serve_alone},
        ledger,
        machine::{Machine, Memory},
        outside::OsRandom,
        pages, part, process,
        readiness::AskParts,
        wire,
    },
};

/// What was built.
pub const BUILD: BuildInfo = BuildInfo {
    name: "userd",
    version: env!("CARGO_PKG_VERSION"),
    commit: env!("USERD_COMMIT"),
    build_time: env!("USERD_BUILD_TIME"),
};

/// Serves until a signal to stop.
pub async fn serve(mut config: Config, reloadable: Reloadable) -> Result<ExitCode, WiringError> {
    process::log_panics_without_message();
    let hangup = Harmless::listen().map_err(part)?.say();
    let files = process::raise_file_limit();
    let metrics = userd_web::metrics::install().map_err(part)?;
    userd_web::metrics::show_build(BUILD.version, BUILD.commit);
    // Before anything is read or changed, and until everything is written.
    let alone = serve_alone(&config.database).await?;
    let port = reserve("http.listen", config.http.listen.0)?;
    let admin_port =
        config.http.admin_listen.as_ref().map(|listen| reserve("http.admin_listen", listen.0)).transpose()?;
    config.http.listened_on(port.number()?);
    let is_alone = alone.as_ref().is_some_and(ServiceLock::is_held);
    let draining = Draining::default();
    let mut stopped = Box::pin(signals::stop(draining.clone()));
    let starting = async move {
        await_server(&config).await?;
        wire(config, Opening::MayCreate, is_alone).await
    };
    // A start may wait long for its database, and is told to stop like any service.
    let wired = tokio::select! {
        wired = starting => wired?,
        () = &mut stopped => {
            tracing::info!("stopped before it served");
            return Ok(ExitCode::SUCCESS);
        }
    };
    let listener = port.listen()?;
    let address = listener.local_addr().map_err(part)?;
    let mut requests = request_options(&wired.config)?;
    let looked_at = doctor::inspection(&wired.config, &wired.services);
    let site = pages::site(&wired.config, &wired.services, &requests, &draining, looked_at)?;
    requests.problem_page = site.as_ref().map(|site| userd_pages::problem_page::of(site));
    let api = api(&wired, requests, metrics.clone(), draining.clone());
    let admin = serve_admin(admin_port, &api)?;
    let side = if admin.is_some() { Side::Public } else { Side::Whole };
    let router = router::build_side(api, side).map_err(part)?;
    let router = match site {
        Some(site) => userd_pages::router(site, router),
        None => router,
    };
    let (stop, stopping) = watch::channel(false);
    let mut background = wired.services.start_background(&stopping);
    background.spawn(keep_metrics_small(metrics.clone(), stopping));
    announce(&wired, address).await?;
    let options = server_options(&wired.config, files)?;
    let reload = Reload::new(reloadable, &wired, options.tls.clone());
    let reloading = tokio::spawn(reload.at_each(hangup));
    let served = server::serve(listener, router, options, draining.clone(), stopped).await;
    tracing::info!(connections = served.accepted, cut_off = served.aborted, "stopped");
    reloading.abort();
    // Until now it told that the service is draining.
    if let Some(admin) = admin {
        admin.abort();
    }
    stop.send_replace(true);
    tokio::select! {
        () = put_away(&wired, background) => {}
        () = at_once(&draining) => tracing::warn!("stopped before everything was put away; the next start sees to it"),
    }
    drop(alone);
    Ok(ExitCode::SUCCESS)
}

/// Ends what runs beside requests, gives back what was taken, closes the database.
async fn put_away(wired: &Wired, mut background: JoinSet<()>) {
    let ended = async { while background.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(Duration::from_secs(2), ended).await;
    // A loop that still runs would take its lease again.
    background.shutdown().await;
    give_leases_back(wired).await;
    wired.services.deps.store.engine().close().await;
}

/// Soon after somebody is in a hurry: what takes no time is still done.
async fn at_once(draining: &Draining) {
    draining.is_in_a_hurry().await;
    tokio::time::sleep(Duration::from_millis(500)).await;
}

/// So that the next start need not wait for their end. A database that is away does not hold the stop.
async fn give_leases_back(wired: &Wired) {
    let given = tokio::time::timeout(Duration::from_secs(1), wired.services.give_leases_back()).await;
    if !matches!(given, Ok(Ok(()))) {
        tracing::warn!("leases could not be given back; they end by themselves within two minutes");
    }
}

/// A port that is ours and does not answer yet: one that is taken is found before anything is made, and nobody waits at
/// one that is not served.
struct Reserved {
    key: &'static str,
    address: SocketAddr,
    socket: TcpSocket,
}

fn reserve(key: &'static str, address: SocketAddr) -> Result<Reserved, WiringError> {
    let bound = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        // What the service before this one left behind does not count as taken; another listener does.
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        Ok(socket)
    };
    let socket = bound().map_err(|error| cannot_listen(key, address, &error))?;
    Ok(Reserved { key, address, socket })
}

impl Reserved {
    /// The port: the configured one, or the one that the system chose for 0.
    fn number(&self) -> Result<u16, WiringError> {
        Ok(self.socket.local_addr().map_err(part)?.port())
    }

    fn listen(self) -> Result<TcpListener, WiringError> {
        self.socket.listen(1024).map_err(|error| cannot_listen(self.key, self.address, &error))
    }
}

fn cannot_listen(key: &str, address: SocketAddr, error: &std::io::Error) -> WiringError {
    WiringError::Part(format!("{key}: {address} cannot be listened on: {error}"))
}

fn request_options(config: &Config) -> Result<RequestOptions, WiringError> {
    let http = &config.http;
    let networks: Vec<String> = http.trusted_proxies.iter().map(|network| network.0.to_string()).collect();
    let origins: Vec<String> = http.cors_origins.iter().map(crate::config::WebOrigin::as_text).collect();
    Ok(RequestOptions {
        trusted_proxies: TrustedProxies::parse(&networks).map_err(part)?,
        cors: Cors::parse(&origins).map_err(part)?,
        request_deadline: http.request_timeout.0,
        ..RequestOptions::new(http.public_url.url().clone())
    })
}

fn api(wired: &Wired, options: RequestOptions, metrics: PrometheusHandle, draining: Draining) -> Arc<Api> {
    Arc::new(Api {
        options,
        build: BUILD,
        readiness: Arc::new(AskParts(Arc::clone(&wired.services))),
        draining,
        metrics,
        cursors: Cursors::new(&wired.services.deps.crypto.index.derive("cursors")),
        random: Arc::new(OsRandom),
        documentation: std::sync::OnceLock::new(),
        services: Arc::clone(&wired.services),
    })
}

/// Serves metrics and readiness on an address of their own, where one is configured.
fn serve_admin(port: Option<Reserved>, api: &Arc<Api>) -> Result<Option<JoinHandle<()>>, WiringError> {
    let Some(port) = port else { return Ok(None) };
    let listener = port.listen()?;
    let address = listener.local_addr().map_err(part)?;
    let router = router::build_side(Arc::clone(api), Side::Admin).map_err(part)?;
    let options = ServerOptions { max_connections: 64, max_connections_per_address: None, ..ServerOptions::default() };
    tracing::info!(%address, "metrics and readiness are here");
    Ok(Some(tokio::spawn(async move {
        server::serve(listener, router, options, Draining::default(), std::future::pending()).await;
    })))
}

fn server_options(config: &Config, files: Option<u64>) -> Result<ServerOptions, WiringError> {
    let http = &config.http;
    let connections = connections(http.max_connections as usize, files);
    let tls = match (http.tls.certificate_file.as_ref(), http.tls.key_file.as_ref()) {
        (Some(certificate), Some(key)) => Some(server::tls::from_files(&certificate.0, &key.0).map_err(part)?),
        _ => None,
    };
    let limit = u32::try_from(connections).unwrap_or(u32::MAX);
    metrics::gauge!("userd_http_connections_limit").set(f64::from(limit));
    let per_address = http.trusted_proxies.is_empty().then_some(connections * 3 / 4);
    Ok(ServerOptions {
        header_timeout: http.header_timeout.0,
        max_connections: connections,
        max_connections_per_address: per_address,
        tls,
        drain_delay: http.drain_delay.0,
        drain_deadline: http.drain_timeout.0,
        ..ServerOptions::default()
    })
}

/// As many connections as configured, or as the system's limit of open files leaves room for.
fn connections(configured: usize, files: Option<u64>) -> usize {
    /// Files that are not connections: the database, the cache, logs, calls to providers.
    const OTHERS: usize = 200;
    let files = files.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX);
    let allowed = configured.min(files.saturating_sub(OTHERS).max(files / 2));
    if allowed < configured {
        tracing::warn!(
            allowed,
            configured,
            open_files = files,
            "fewer connections than http.max_connections: raise the limit of open files (LimitNOFILE, ulimit -n)"
        );
    }
    allowed
}

/// Histograms gather samples until they are asked for; without this an unasked service would grow.
async fn keep_metrics_small(metrics: PrometheusHandle, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(5)) => metrics.run_upkeep(),
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}

/// Says where the service listens, where its data is, and how to become administrator.
async fn announce(wired: &Wired, address: std::net::SocketAddr) -> Result<(), WiringError> {
    let config = &wired.config;
    announce_memory(&Machine::here().memory(config));
    if let Some(says) = ledger::missing(config) {
        tracing::warn!("{says}");
    }
    for says in ledger::unwritable(config) {
        tracing::error!("{says}");
    }
    if wired.migrated > 0 {
        tracing::info!(steps = wired.migrated, "the database schema is up to date");
    }
    if let Some(change) = wired.services.signing_keys.algorithm_change().await.map_err(part)? {
        tracing::warn!("tokens.algorithm has changed: {change}");
    }
    if let Some(token) = wired.services.setup.open(&wired.services.operator_context()).await.map_err(part)? {
        let base = base_url(config, address);
        tracing::info!(
            "no administrator yet: open the setup link within a day, or run `userd users create-admin --email me@example.org`"
        );
        crate::terminal::notice(&format!("setup link: {base}/setup#token={token}"));
    }
    tracing::info!(
        address = %address,
        url = %base_url(config, address),
        database = %config.database.url.shown(),
        "listening"
    );
    Ok(())
}

/// Before the system ends the process for it.
fn announce_memory(memory: &Memory) {
    if memory.is_too_much() {
        tracing::warn!("memory: {memory}");
    } else {
        tracing::info!(
            workers = memory.workers,
            hashing_mib = memory.hashing_mib,
            worst_mib = memory.worst_mib,
            available_mib = memory.available_mib,
            "memory"
        );
    }
}

/// The public address; with a port chosen by the system and a public address that does not know it, the one chosen.
fn base_url(config: &Config, address: std::net::SocketAddr) -> String {
    let public = &config.http.public_url;
    let is_elsewhere = config.http.listen.0.port() == 0 && public.url().port() != Some(address.port());
    if is_elsewhere { format!("http://{address}") } else { public.as_text() }
}
