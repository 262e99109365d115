//! Tokens that were verified before, a bounded number of them: the first that came goes first.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, PoisonError, RwLock},
};

use crate::Token;

pub(crate) struct Memory {
    state: RwLock<State>,
    size: usize,
}

#[derive(Default)]
struct State {
    tokens: HashMap<Arc<str>, Arc<Token>>,
    order: VecDeque<Arc<str>>,
}

impl Memory {
    pub(crate) fn new(size: usize) -> Self {
        Self { state: RwLock::default(), size }
    }

    pub(crate) fn get(&self, text: &str) -> Option<Arc<Token>> {
        self.state.read().unwrap_or_else(PoisonError::into_inner).tokens.get(text).cloned()
    }

    pub(crate) fn put(&self, text: &str, token: &Arc<Token>) {
        let mut state = self.state.write().unwrap_or_else(PoisonError::into_inner);
        let text: Arc<str> = text.into();
        if state.tokens.insert(Arc::clone(&text), Arc::clone(token)).is_none() {
            state.order.push_back(text);
        }
        if state.order.len() > self.size
            && let Some(oldest) = state.order.pop_front()
        {
            state.tokens.remove(&oldest);
        }
    }

    pub(crate) fn clear(&self) {
        *self.state.write().unwrap_or_else(PoisonError::into_inner) = State::default();
    }
}
