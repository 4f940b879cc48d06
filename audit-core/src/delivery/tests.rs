//! Tests of the queue, outside `queue.rs`, since the loom model compiles that file as well.

use std::sync::Arc;

use super::queue::{Queue, Refusal};
use crate::event::Event;

fn event() -> Event {
    Event::builder("a").build().unwrap()
}

#[test]
fn a_full_queue_hands_the_event_back_until_a_place_is_released() {
    let queue = Queue::new(2, usize::MAX);
    queue.push(event()).unwrap();
    queue.push(event()).unwrap();
    let third = event();
    let (back, refusal) = queue.push(third.clone()).unwrap_err();
    assert_eq!((back.id(), refusal), (third.id(), Refusal::Full));

    let first = queue.pop().unwrap();
    assert_eq!(
        queue.push(third.clone()).unwrap_err().1,
        Refusal::Full,
        "a popped event still holds its origin"
    );
    queue.release(first.size());
    queue.push(third).unwrap();
}

#[test]
fn the_bound_on_bytes_holds_too() {
    let size = event().size();
    let queue = Queue::new(100, 2 * size);
    queue.push(event()).unwrap();
    queue.push(event()).unwrap();
    assert_eq!(queue.push(event()).unwrap_err().1, Refusal::Full);
    assert_eq!((queue.held(), queue.held_bytes()), (2, 2 * size));
}

#[test]
fn a_closed_queue_takes_nothing_and_keeps_what_it_has() {
    let queue = Queue::new(2, usize::MAX);
    queue.push(event()).unwrap();
    queue.close();
    assert_eq!(queue.push(event()).unwrap_err().1, Refusal::Closed);
    assert_eq!((queue.held(), queue.waiting()), (1, 1));
}

#[test]
fn every_event_of_racing_threads_is_taken_or_handed_back() {
    let queue = Arc::new(Queue::new(64, usize::MAX));
    let threads: Vec<_> = (0..4)
        .map(|_| {
            let queue = Arc::clone(&queue);
            std::thread::spawn(move || (0..1_000).filter(|_| queue.push(event()).is_ok()).count())
        })
        .collect();
    let mut popped = 0;
    while threads.iter().any(|thread| !thread.is_finished()) || queue.waiting() > 0 {
        if let Some(event) = queue.pop() {
            popped += 1;
            queue.release(event.size());
        }
    }
    let taken: usize = threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .sum();
    assert_eq!(popped, taken);
    assert_eq!((queue.held(), queue.held_bytes()), (0, 0));
}

#[tokio::test]
async fn a_push_wakes_a_sleeping_dispatcher_and_only_that() {
    let queue = Queue::new(8, usize::MAX);
    assert!(queue.fall_asleep());
    queue.push(event()).unwrap();
    queue.woken().await;
    assert!(!queue.fall_asleep(), "there is an event to fetch");
}
