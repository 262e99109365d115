//! The notes that server and request layer leave for each other in the extensions of requests and answers.

/// On a request: two readers could see its host differently (RFC 9112 section 3.2); it is answered with 400.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BadFraming(pub(crate) &'static str);

/// On an answer: its connection has low priority from now on, because the request hashed a password.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LowPriority;
