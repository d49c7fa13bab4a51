//! Work that may never end: a home on a server that is gone stops whoever looks
//! into it.

use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

/// Does `work` on each of `items`, one after the other. `None` where that took
/// longer than `patience`, or panicked: it is left to itself, and ends with the
/// program at the latest.
pub(super) fn each<T, R>(
    items: Vec<T>,
    patience: Duration,
    work: impl Fn(&T) -> R + Send + Sync + 'static,
) -> Vec<Option<R>>
where
    T: Send + Sync + 'static,
    R: Send + 'static,
{
    let (items, work) = (Arc::new(items), Arc::new(work));
    let mut results = Vec::with_capacity(items.len());
    while results.len() < items.len() {
        let (sender, receiver) = mpsc::channel();
        let (first, theirs, work) = (results.len(), Arc::clone(&items), Arc::clone(&work));
        #[expect(
            clippy::disallowed_methods,
            reason = "no system call on a dead mount can be called off"
        )]
        std::thread::spawn(move || {
            for item in theirs.iter().skip(first) {
                if sender.send(work(item)).is_err() {
                    return;
                }
            }
        });
        while results.len() < items.len() {
            match receiver.recv_timeout(patience) {
                Ok(result) => results.push(Some(result)),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                    results.push(None);
                    break;
                }
            }
        }
    }
    results
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_ends_keeps_nobody_else_waiting() {
        let work = |item: &u32| match item {
            2 | 5 => {
                let (_kept, never) = mpsc::channel::<()>();
                never.recv_timeout(Duration::from_secs(60)).unwrap_err();
                0
            }
            item => item * 10,
        };
        let results = each(vec![1, 2, 3, 4, 5], Duration::from_millis(200), work);
        assert_eq!(results, [Some(10), None, Some(30), Some(40), None]);
    }

    #[test]
    fn nothing_to_do_is_done_at_once() {
        assert_eq!(each(Vec::<u8>::new(), Duration::ZERO, |_| 0), []);
    }
}
