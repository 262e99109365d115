//! In front of tower services: whoever shows no good token, or one that the guards do not let through, is answered here.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, header};
use tower::{Layer, Service};

use crate::{Error, Token, Userd};

type Guard = Arc<dyn Fn(&Token) -> Result<(), Error> + Send + Sync>;

/// A layer that asks every request for a token that all guards let through. Others are answered 401, 403 or 503. Within,
/// the request's extensions have an `Arc<Token>`.
#[derive(Clone)]
pub struct Require {
    userd: Userd,
    guards: Vec<Guard>,
}

impl Userd {
    /// A layer that asks for a good token.
    #[must_use]
    pub fn require(&self) -> Require {
        Require { userd: self.clone(), guards: Vec::new() }
    }
}

impl Require {
    /// Lets through what this says nothing against.
    #[must_use]
    pub fn guard(mut self, guard: impl Fn(&Token) -> Result<(), Error> + Send + Sync + 'static) -> Self {
        self.guards.push(Arc::new(guard));
        self
    }

    /// Lets through whoever has one of these roles.
    #[must_use]
    pub fn role(self, roles: &'static [&'static str]) -> Self {
        self.guard(move |token| match token.has_role(roles) {
            true => Ok(()),
            false => Err(Error::Forbidden(format!("needs the role {}", roles.join(" or ")))),
        })
    }

    /// Lets through whoever has all of these permissions.
    #[must_use]
    pub fn permission(self, permissions: &'static [&'static str]) -> Self {
        self.guard(move |token| match token.has_permission(permissions) {
            true => Ok(()),
            false => Err(Error::Forbidden(format!("needs the permission {}", permissions.join(" and ")))),
        })
    }
}

impl<S> Layer<S> for Require {
    type Service = Required<S>;

    fn layer(&self, inner: S) -> Required<S> {
        Required { require: self.clone(), inner }
    }
}

/// A service behind [`Require`].
#[derive(Clone)]
pub struct Required<S> {
    require: Require,
    inner: S,
}

impl<S, B, R> Service<Request<B>> for Required<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone + Send + 'static,
    S::Future: Send,
    B: Send + 'static,
    R: From<String>,
{
    type Response = Response<R>;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<Response<R>, S::Error>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: Request<B>) -> Self::Future {
        // The one that was asked whether it is ready.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        let require = self.require.clone();
        let shown = request.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let shown = shown.map(str::to_owned);
        Box::pin(async move {
            let asked = require.userd.authenticate(shown.as_deref()).await;
            let allowed = asked.and_then(|token| {
                require.guards.iter().try_for_each(|guard| guard(&token))?;
                Ok(token)
            });
            match allowed {
                Ok(token) => {
                    request.extensions_mut().insert(token);
                    inner.call(request).await
                }
                Err(error) => Ok(error.to_response()),
            }
        })
    }
}
