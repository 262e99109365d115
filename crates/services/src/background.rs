//! What goes on beside requests: polling revocations, listening to the other replicas, the key schedule, sweeping.
//! Each loop survives every fault and tries again; none is needed for a request to be right, only to be prompt.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};
use userd_cache::Message;

use crate::{
    Services,
    faults::{Faults, Outage},
    revocations::Consequence,
    streams::Streams,
    sweeper::SWEEPER,
};

/// A lost message costs this much at most.
const POLL: Duration = Duration::from_millis(400);
/// What another replica told waits this long at most; what was told here wakes the worker.
const EVENTS: Duration = Duration::from_millis(500);
const KEYS: Duration = Duration::from_secs(30);
const SWEEP: Duration = Duration::from_secs(60);
/// That a limit of an account was reached is told so late at most.
const LIMITS: Duration = Duration::from_secs(5);
/// At least one checkpoint a minute while the audit log grows.
const CHECKPOINTS: Duration = Duration::from_secs(30);

/// The lease under which the key schedule is kept.
const SIGNING_KEYS: &str = "signing_keys";
/// The lease under which it is written down that grants, requests and blocks have ended.
const GRANTS: &str = "grants";
/// The lease under which deleted accounts are erased.
const PURGES: &str = "purges";
/// The lease under which checkpoints of the audit log are signed.
const AUDIT: &str = "audit";
/// The lease under which checkpoints are shown to the witness: a loop of its own, which nothing waits for.
const WITNESS: &str = "audit_witness";

impl Services {
    /// Starts the loops; they end when `stop` turns true.
    pub fn start_background(self: &Arc<Self>, stop: &watch::Receiver<bool>) -> JoinSet<()> {
        let mut loops = JoinSet::new();
        loops.spawn(every(POLL, stop.clone(), Arc::clone(self), |services| async move {
            services.follow_revocations().await
        }));
        loops.spawn(every(KEYS, stop.clone(), Arc::clone(self), |services| async move { services.keep_keys().await }));
        loops.spawn(every(SWEEP, stop.clone(), Arc::clone(self), |services| async move { services.tidy_up().await }));
        loops.spawn(every(CHECKPOINTS, stop.clone(), Arc::clone(self), |services| async move {
            services.keep_audit_log().await
        }));
        if self.deps.checkpoint_witness.is_some() {
            loops.spawn(ask_witness(stop.clone(), Arc::clone(self)));
        }
        loops.spawn(every(LIMITS, stop.clone(), Arc::clone(self), |services| async move {
            services.tell_limits_reached().await
        }));
        loops.spawn(append_events(stop.clone(), Arc::clone(self)));
        loops.spawn(Arc::clone(&self.deliveries).work(stop.clone()));
        loops.spawn(Streams::work(Arc::clone(self), stop.clone()));
        loops.spawn(listen(stop.clone(), Arc::clone(self)));
        loops
    }

    /// Gives back the leases that the loops took: call it when they have ended, so that another replica, or this one
    /// started again, goes on at once.
    ///
    /// # Errors
    /// Storage faults: then the leases end by themselves.
    pub async fn give_leases_back(&self) -> Result<(), userd_storage::Failure> {
        for lease in [SWEEPER, SIGNING_KEYS, PURGES, GRANTS, AUDIT, WITNESS] {
            self.sweeper.give_back(lease).await?;
        }
        self.event_log.give_back().await?;
        self.streams.give_back().await?;
        self.deliveries.give_back().await
    }

    /// One poll of the revocations and what follows from it.
    pub async fn follow_revocations(&self) -> Result<(), userd_storage::Failure> {
        let mut consequences = Vec::new();
        let polled = self.revocations.poll(&mut consequences).await;
        let followed = self.follow(consequences).await;
        polled.and(followed)
    }

    /// Takes what another replica says, and does what follows from it.
    ///
    /// # Errors
    /// Storage faults.
    pub async fn hear(&self, message: &[u8]) -> Result<(), userd_storage::Failure> {
        self.changes.arrivals().receive(message);
        let consequences = self.revocations.receive(message);
        self.follow(consequences).await
    }

    async fn follow(&self, consequences: Vec<Consequence>) -> Result<(), userd_storage::Failure> {
        let mut reload = false;
        for consequence in consequences {
            match consequence {
                Consequence::ForgetUser { user, version } => self.user_reader.forget(user, version),
                Consequence::ForgetRole { role, version } => self.role_reader.forget(&role, version),
                Consequence::ReloadKeys => reload = true,
            }
        }
        if !reload {
            return Ok(());
        }
        let loaded = self.signing_keys.reload().await;
        if loaded.is_err() {
            self.revocations.keys_are_behind();
        }
        loaded
    }

    /// One round of what is done once a minute, in one replica at a time: removes what has expired, erases accounts whose
    /// window has closed, and writes down that grants, requests and blocks have ended. Those count no more from their end on,
    /// whoever does it.
    ///
    /// # Errors
    /// The first fault; it stops no other step.
    pub async fn tidy_up(&self) -> Result<(), userd_storage::Failure> {
        let mut faults = Faults::default();
        faults.step(self.sweeper.tick().await, "removing what has expired");
        let purges = self.sweeper.lead(PURGES, self.deps.now(), SWEEP * 3).await;
        if faults.step(purges, "taking the lease of erasures") == Some(true) {
            faults.step(self.deletions.purge_due().await, "erasing accounts");
        }
        let grants = self.sweeper.lead(GRANTS, self.deps.now(), SWEEP * 3).await;
        if faults.step(grants, "taking the lease of grants") == Some(true) {
            faults.step(self.grants.end_due().await, "ending grants");
            faults.step(self.grants.remind().await, "reminding of ends of grants");
            faults.step(self.access_requests.expire_due().await, "closing requests");
            faults.step(self.users.end_blocks().await, "ending blocks");
            faults.step(self.access_requests.escalate_due().await, "telling of requests that wait");
        }
        faults.step(self.users.write_missing_terms().await, "writing words of accounts");
        faults.step(self.notifications.expire().await, "removing notifications");
        faults.end(())
    }

    /// Signs checkpoints and removes entries whose time is over, in one replica at a time. Where a checkpoint is refused, as
    /// that of a log that was changed, nothing is removed either.
    async fn keep_audit_log(&self) -> Result<(), userd_storage::Failure> {
        if self.sweeper.lead(AUDIT, self.deps.now(), CHECKPOINTS * 3).await? {
            self.audit.checkpoint().await?;
            self.audit.prune().await?;
        }
        Ok(())
    }

    /// Has the newest checkpoint cosigned, in one replica at a time.
    async fn ask_witness(&self) -> Result<(), userd_storage::Failure> {
        if self.sweeper.lead(WITNESS, self.deps.now(), CHECKPOINTS * 3).await? {
            self.audit.witness().await?;
        }
        Ok(())
    }

    async fn keep_keys(&self) -> Result<(), userd_storage::Failure> {
        let mut faults = Faults::default();
        let leads = self.sweeper.lead(SIGNING_KEYS, self.deps.now(), KEYS * 3).await;
        if faults.step(leads, "taking the lease of signing keys") == Some(true) {
            faults.step(self.signing_keys.tick().await, "the schedule of signing keys");
            faults.step(self.streams.keep_keys().await, "the schedule of the keys of streams");
        }
        faults.step(self.signing_keys.reload().await, "reading signing keys");
        faults.end(())
    }
}

/// Shows checkpoints to the witness: at once what is signed here, what another replica has signed within half a minute. A
/// witness that does not answer holds up nothing but this, and not the stop either.
async fn ask_witness(mut stop: watch::Receiver<bool>, services: Arc<Services>) {
    loop {
        let asked = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            asked = services.ask_witness() => asked,
        };
        if let Err(failure) = asked {
            tracing::warn!(%failure, "the witness of the audit log is not asked; it will be tried again");
        }
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = services.audit.unseen() => {}
            () = tokio::time::sleep(CHECKPOINTS) => {}
        }
    }
}

/// Runs `act` at once and then every `period`, until told to stop.
async fn every<F>(
    period: Duration,
    mut stop: watch::Receiver<bool>,
    services: Arc<Services>,
    act: fn(Arc<Services>) -> F,
) where
    F: Future<Output = Result<(), userd_storage::Failure>> + Send,
{
    let mut failing = false;
    loop {
        match act(Arc::clone(&services)).await {
            Ok(()) if failing => {
                failing = false;
                tracing::info!("background work goes on");
            }
            Ok(()) => {}
            Err(failure) if !failing => {
                failing = true;
                tracing::warn!(%failure, "background work fails; it will be tried again until it works");
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(period) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Appends to the event log: at once when something is told here, else now and then.
async fn append_events(mut stop: watch::Receiver<bool>, services: Arc<Services>) {
    let mut outage = Outage::default();
    loop {
        let passed_on = services.event_log.tick().await;
        if let Some(failure) = outage.begins(&passed_on) {
            tracing::warn!(%failure, "events are not appended; it will be tried again until it works");
        }
        if passed_on.is_ok_and(|count| count > 0) {
            services.deliveries.wake();
        }
        let failing = outage.lasts();
        let told = async { if failing { std::future::pending().await } else { services.event_log.told().await } };
        tokio::select! {
            () = told => {}
            () = tokio::time::sleep(EVENTS) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

async fn listen(mut stop: watch::Receiver<bool>, services: Arc<Services>) {
    let mut messages = services.deps.cache.subscribe();
    loop {
        let message = tokio::select! {
            message = messages.next() => message,
            _ = stop.wait_for(|stop| *stop) => return,
        };
        let outcome = match message {
            Some(Message::Payload(bytes)) => services.hear(&bytes).await,
            // Something was missed: the table knows.
            Some(Message::Resync) => {
                services.changes.arrivals().doubt();
                services.follow_revocations().await
            }
            None => return,
        };
        if let Err(failure) = outcome {
            tracing::debug!(%failure, "a message of another replica could not be followed; polling will");
        }
    }
}
