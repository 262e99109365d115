//! Password work under way, by network: whoever keeps the hashing pool busy leaves room for everybody else, however
//! right the passwords are. Deliberately absent: wrong guesses (`limits.rs`) and the pool's queue (crypto).

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// How many pieces of work each network has under way in this process.
#[derive(Clone, Default)]
pub(crate) struct WorkUnderWay {
    networks: Arc<Mutex<HashMap<String, usize>>>,
}

/// One piece of work; given back when dropped, also when its caller goes away.
pub(crate) struct Place {
    all: WorkUnderWay,
    network: String,
}

impl WorkUnderWay {
    /// Begins a piece of work for `network`, unless it has `most` under way already.
    pub(crate) fn begin(&self, network: &str, most: usize) -> Option<Place> {
        let mut networks = self.lock();
        let under_way = networks.get(network).copied().unwrap_or(0);
        if under_way >= most {
            return None;
        }
        networks.insert(network.to_owned(), under_way + 1);
        drop(networks);
        Some(Place { all: self.clone(), network: network.to_owned() })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut networks = self.all.lock();
        if let Some(under_way) = networks.get_mut(&self.network) {
            *under_way -= 1;
            if *under_way == 0 {
                networks.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_its_share_and_nothing_of_it_is_lost() {
        let all = WorkUnderWay::default();
        let mut held: Vec<_> = (0..3).map(|_| all.begin("here", 3).expect("a place")).collect();
        assert!(all.begin("here", 3).is_none());
        let other = all.begin("there", 3).expect("another network has its own");
        held.pop();
        held.push(all.begin("here", 3).expect("given back"));
        assert!(all.begin("here", 3).is_none());
        drop((held, other));
        assert!(all.lock().is_empty(), "nobody who is gone takes memory");
    }
}
