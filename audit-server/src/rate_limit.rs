//! Fixed-window rate limit per API key.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::api_key::KeyHash;
use crate::timestamp::Timestamp;

/// Counts requests in windows that begin with a key's first request. Only known keys are counted,
/// so the map has at most as many entries as there are keys.
#[derive(Debug)]
pub(crate) struct RateLimit {
    requests: u32,
    per: Duration,
    windows: Mutex<HashMap<KeyHash, Window>>,
}

#[derive(Debug)]
struct Window {
    ends: Timestamp,
    made: u32,
}

impl RateLimit {
    pub(crate) fn new(requests: u32, per: Duration) -> Self {
        Self {
            requests,
            per,
            windows: Mutex::default(),
        }
    }

    /// Counts a request. Returns the time until the next window if it exceeds the limit.
    pub(crate) fn admit(&self, key_hash: KeyHash, now: Timestamp) -> Result<(), Duration> {
        let mut windows = self.windows.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Window {
            ends: now.after(self.per),
            made: 0,
        };
        let window = windows.entry(key_hash).or_insert_with(fresh);
        // Without this a clock that was set back would keep a window open for long.
        if now >= window.ends || window.ends > now.after(self.per) {
            *window = fresh();
        }
        if window.made < self.requests {
            window.made += 1;
            return Ok(());
        }
        let left = window.ends.as_millis() - now.as_millis();
        Err(Duration::from_millis(left.unsigned_abs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn window_begins_with_the_first_request_of_its_key() {
        let limit = RateLimit::new(2, Duration::from_secs(60));
        let admit = |key: &str, millis| {
            let wait = limit.admit(KeyHash::of(key), Timestamp::from_millis(millis));
            wait.map_err(|wait| wait.as_millis())
        };
        assert_eq!(admit("a", 500), Ok(()));
        assert_eq!(admit("a", 600), Ok(()));
        assert_eq!(admit("a", 60_499), Err(1));
        assert_eq!(admit("b", 60_499), Ok(()));
        assert_eq!(admit("a", 60_500), Ok(()));
        assert_eq!(admit("a", 0), Ok(()), "the clock was set back");
    }
}
