//! Signals: which end the service, how soon, and which must not. Deliberately absent: what a stop does (`serve.rs`).

use std::io;

use rustix::process::Signal as Number;
use tokio::signal::unix::{Signal, SignalKind, signal};
use userd_web::server::Draining;

/// Signals that end a process which does not listen. Listened to from the very start.
pub struct Harmless {
    hangup: Signal,
    user: [Signal; 2],
    file_size: Signal,
}

impl Harmless {
    /// Listens.
    ///
    /// # Errors
    /// The system refuses.
    pub fn listen() -> io::Result<Self> {
        let file_size = SignalKind::from_raw(Number::XFSZ.as_raw());
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            user: [signal(SignalKind::user_defined1())?, signal(SignalKind::user_defined2())?],
            file_size: signal(file_size)?,
        })
    }

    /// Says that they came, for ever. Gives back what is listened to elsewhere.
    pub fn say(self) -> Signal {
        let Self { hangup, user, file_size } = self;
        tokio::spawn(say(user, file_size));
        hangup
    }
}

async fn say([mut first, mut second]: [Signal; 2], mut file_size: Signal) {
    loop {
        tokio::select! {
            _ = first.recv() => tracing::info!("SIGUSR1 has no meaning here"),
            _ = second.recv() => tracing::info!("SIGUSR2 has no meaning here"),
            // The write that caused it fails, and is told of where it was made.
            _ = file_size.recv() => tracing::error!("SIGXFSZ: a file is as large as the system allows (ulimit -f)"),
        }
    }
}

/// Ends with SIGTERM or SIGINT. A SIGINT after that is somebody at the terminal who does not want to wait.
pub async fn stop(draining: Draining) {
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        let _ = tokio::signal::ctrl_c().await;
        return;
    };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    tokio::spawn(async move {
        if interrupt.recv().await.is_some() {
            tracing::warn!("interrupted again: what is under way is cut off");
            draining.hurry();
        }
    });
}
