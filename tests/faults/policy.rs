//! What the dispatcher does about faults that come over time, under a virtual clock.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_tower::testing::{FaultSink, assert_balanced};
use audit_tower::{Action, Fault, HealthState, RateLimit, Recorder};

use crate::support::{HOUR, MINUTE, SECOND, assert_delivered, event_of, record, start};

#[tokio::test(start_paused = true)]
async fn fault_01_a_full_queue_hands_every_event_back_that_it_does_not_take() {
    let sink = FaultSink::discarding().fail_for(HOUR);
    let recorder = start(Recorder::builder(sink).capacity(100));
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let recorder = recorder.clone();
            tokio::spawn(async move {
                let attempts = (0..250).map(|_| recorder.record(event_of("org_1")));
                attempts.filter_map(Result::err).count() as u64
            })
        })
        .collect();
    let mut refused = 0;
    for task in tasks {
        refused += task.await.unwrap();
    }
    let stats = recorder.stats();
    assert_eq!((stats.accepted, refused), (100, 900));
    assert_eq!((stats.refused, stats.pending), (900, 100));
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_02_one_event_per_organization_tells_of_the_gap() {
    const GAP: Action = Action::checked("audit.gap");
    let gaps = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&gaps);
    let sink = FaultSink::discarding().respond_with(move |event, attempt| {
        if attempt.at() < MINUTE {
            return Err(Fault::retryable("503"));
        }
        if event.action() == "audit.gap" {
            let count = event.metadata_value("count").unwrap().to_string();
            let organization = event.organization().unwrap().to_owned();
            told.lock().unwrap().push((organization, count));
        }
        Ok(())
    });
    let recorder = start(Recorder::builder(sink).capacity(10).gap_action(GAP));
    record(&recorder, 10);
    for _ in 0..90 {
        drop(recorder.record(event_of("org_1")));
    }
    for _ in 0..5 {
        drop(recorder.record(event_of("org_2")));
    }
    assert!(recorder.flush(HOUR).await.is_complete());
    assert!(recorder.flush(HOUR).await.is_complete());
    gaps.lock().unwrap().sort();
    let gaps = gaps.lock().unwrap().clone();
    let gap = |organization: &str, count: &str| (organization.to_owned(), count.to_owned());
    assert_eq!(gaps, [gap("org_1", "90"), gap("org_2", "5")]);
    assert_eq!(
        (recorder.stats().dropped, recorder.stats().generated),
        (95, 2)
    );
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_04_a_shutdown_delivers_everything_and_says_so_twice() {
    let sink = FaultSink::discarding();
    let recorder = start(Recorder::builder(sink.clone()));
    let recorded = record(&recorder, 1_000);
    let report = recorder.shutdown(5 * SECOND).await;
    assert_eq!((report.delivered, report.lost), (1_000, 0));
    assert_eq!(recorder.shutdown(5 * SECOND).await, report);
    assert_delivered(&sink, &recorded);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_05_a_shutdown_ends_at_its_deadline_and_the_hook_gets_what_is_lost() {
    let lost = Arc::new(Mutex::new(Vec::new()));
    let hook = Arc::clone(&lost);
    let sink = FaultSink::discarding().latency(HOUR);
    let builder = Recorder::builder(sink.clone()).on_dead_letter(move |letter| {
        assert!(letter.fault().is_lost());
        hook.lock().unwrap().push(letter.id());
    });
    let recorder = start(builder);
    let mut recorded = record(&recorder, 50);
    let before = sink.elapsed();
    let report = recorder.shutdown(5 * SECOND).await;
    assert_eq!(sink.elapsed() - before, 5 * SECOND);
    assert_eq!((report.delivered, report.lost), (0, 50));
    assert_balanced(&recorder);
    // The hook runs after the answer.
    while lost.lock().unwrap().len() < 50 {
        tokio::task::yield_now().await;
    }
    let mut lost = lost.lock().unwrap().clone();
    lost.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(lost, recorded);
}

#[tokio::test(start_paused = true)]
async fn fault_09_a_panic_in_the_sink_or_the_hook_costs_one_event_and_nothing_else() {
    let sink = FaultSink::discarding().respond_with(|_, attempt| {
        if attempt.number() % 7 == 0 {
            panic!("on purpose");
        }
        Ok(())
    });
    let builder = Recorder::builder(sink.clone()).on_dead_letter(|_| panic!("on purpose too"));
    let recorder = start(builder);
    record(&recorder, 70);
    let report = recorder.flush(MINUTE).await;
    assert_eq!((report.delivered, report.dead), (60, 10));
    let letters = recorder.dead_letters();
    assert!(
        letters
            .iter()
            .all(|letter| letter.fault().to_string().contains("panicked"))
    );
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_19_a_slow_sink_gets_as_many_attempts_at_once_as_are_allowed() {
    let sink = FaultSink::discarding().latency(5 * SECOND);
    let recorder = start(Recorder::builder(sink.clone()).concurrency(32));
    let recorded = record(&recorder, 1_000);
    assert!(recorder.flush(HOUR).await.is_complete());
    // 1,000 events by 32 at once are 32 rounds of 5 s; the first rounds have fewer.
    let took = sink.elapsed();
    assert!((160 * SECOND..200 * SECOND).contains(&took), "{took:?}");
    assert_delivered(&sink, &recorded);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_20_a_limit_pauses_everything_for_as_long_as_it_says() {
    let wait = 30 * SECOND;
    let sink = FaultSink::discarding().respond_with(move |_, attempt| {
        if attempt.at() < wait {
            return Err(Fault::rate_limited("429").after(Some(wait)));
        }
        Ok(())
    });
    let recorder = start(Recorder::builder(sink.clone()));
    let first = record(&recorder, 1);
    assert_eq!(recorder.flush(SECOND).await.pending, 1);
    assert_eq!(recorder.health().state, HealthState::Degraded);
    let mut recorded = first.clone();
    recorded.extend(record(&recorder, 100));
    assert!(recorder.flush(HOUR).await.is_complete());
    let attempts = sink.attempts();
    assert!(attempts[1..].iter().all(|attempt| attempt.at() >= wait));
    assert!(
        attempts[1].at() <= wait + wait / 9,
        "and no longer than a tenth more"
    );
    assert_eq!(
        attempts[1].event_id(),
        first[0],
        "the one that met the limit asks first"
    );
    assert_eq!(attempts.len(), 102, "one attempt was for nothing");
    assert_delivered(&sink, &recorded);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_21_a_limit_is_believed_for_five_minutes_and_without_a_time_asked_again() {
    for (after, least, most) in [
        (
            Some(Duration::from_secs(1_000_000_000)),
            300 * SECOND,
            331 * SECOND,
        ),
        (Some(Duration::ZERO), Duration::ZERO, SECOND),
        (None, SECOND / 2, 3 * SECOND),
    ] {
        let sink = FaultSink::discarding().fault_times(1, Fault::rate_limited("429").after(after));
        let recorder = start(Recorder::builder(sink.clone()));
        record(&recorder, 1);
        assert!(recorder.flush(HOUR).await.is_complete());
        let attempts = sink.attempts();
        let waited = attempts[1].at() - attempts[0].at();
        assert!((least..most).contains(&waited), "{after:?}: {waited:?}");
        assert_balanced(&recorder);
    }
}

#[tokio::test(start_paused = true)]
async fn fault_22_no_minute_sees_more_attempts_than_the_service_takes() {
    let sink = FaultSink::discarding().with_rate_limit(RateLimit::per_second(90.0));
    let recorder = start(Recorder::builder(sink.clone()).capacity(20_000));
    let mut recorded = record(&recorder, 12_000);
    tokio::time::sleep(10 * MINUTE).await;
    recorded.extend(record(&recorder, 12_000));
    assert!(recorder.flush(HOUR).await.is_complete());
    let attempts = sink.attempts();
    let most = (0..attempts.len())
        .map(|first| {
            let end = attempts[first].at() + MINUTE;
            attempts[first..].partition_point(|attempt| attempt.at() < end)
        })
        .max();
    assert!((5_400..=6_000).contains(&most.unwrap()), "{most:?}");
    assert_delivered(&sink, &recorded);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_23_a_storm_of_5xx_is_asked_once_a_second_at_most_and_then_all_arrives() {
    let storm = 30 * MINUTE;
    let sink = FaultSink::discarding()
        .fail_for(storm)
        .with_rate_limit(RateLimit::per_second(90.0));
    let recorder = start(Recorder::builder(sink.clone()));
    let mut recorded = Vec::new();
    for _ in 0..30 {
        recorded.extend(record(&recorder, 100));
        tokio::time::sleep(MINUTE).await;
    }
    let during = sink.attempts().len();
    assert!(during <= 1_800 + 50, "{during} attempts in half an hour");
    assert!(recorder.flush(HOUR).await.is_complete());
    let all = sink.attempts().len();
    assert!(all <= 3_600, "{all} attempts for 3,000 events");
    assert_delivered(&sink, &recorded);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_24_an_event_that_always_fails_waits_longer_and_longer_and_delays_nobody() {
    let sick = Arc::new(Mutex::new(None));
    let which = Arc::clone(&sick);
    let sink = FaultSink::discarding().respond_with(move |event, _| {
        if *which.lock().unwrap() == Some(event.id()) {
            return Err(Fault::retryable("500"));
        }
        Ok(())
    });
    let recorder = start(Recorder::builder(sink.clone()));
    let event = event_of("org_1");
    *sick.lock().unwrap() = Some(event.id());
    recorder.record(event).unwrap();
    for _ in 0..60 {
        let others = record(&recorder, 10);
        let before = sink.elapsed();
        while sink.delivered().len() < others.len()
            || !others.iter().all(|id| sink.delivered().contains(id))
        {
            tokio::time::sleep(SECOND / 100).await;
            assert!(sink.elapsed() - before < SECOND, "the others wait for it");
        }
        tokio::time::sleep(MINUTE).await;
    }
    let failed = sink
        .attempts()
        .iter()
        .filter(|attempt| attempt.fault().is_some())
        .count();
    assert!((10..=60).contains(&failed), "{failed} attempts in an hour");
    assert_eq!(recorder.stats().pending, 1, "and it is still there");
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_25_a_poisoned_event_is_a_dead_letter_and_the_next_goes_at_once() {
    let sink = FaultSink::discarding().respond_with(|_, attempt| {
        if attempt.number() % 50 == 0 {
            return Err(Fault::rejected("400: no such action"));
        }
        Ok(())
    });
    let recorder = start(Recorder::builder(sink.clone()));
    record(&recorder, 1_000);
    let report = recorder.flush(MINUTE).await;
    assert_eq!((report.delivered, report.dead), (980, 20));
    assert!(sink.elapsed() < SECOND / 50, "{:?}", sink.elapsed());
    let letters = recorder.dead_letters();
    assert_eq!(letters.len(), 20);
    assert_eq!(letters[0].fault().to_string(), "400: no such action");
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_33_a_noisy_organization_delays_a_quiet_one_by_its_turn_and_no_more() {
    // Alone, a quiet event goes with the next attempt that the pace allows.
    let sink = FaultSink::discarding().with_rate_limit(RateLimit::per_second(90.0));
    let recorder = start(Recorder::builder(sink.clone()).capacity(20_000));
    for _ in 0..10_000 {
        recorder.record(event_of("org_noisy")).unwrap();
    }
    // The burst is over.
    tokio::time::sleep(10 * SECOND).await;
    let before = sink.elapsed();
    let mut quiet = HashSet::new();
    for number in 0..99 {
        let event = event_of(&format!("org_{number}"));
        quiet.insert(event.id());
        recorder.record(event).unwrap();
    }
    tokio::time::sleep(10 * SECOND).await;
    let quiet: Vec<_> = sink
        .attempts()
        .into_iter()
        .filter(|attempt| quiet.contains(&attempt.event_id()))
        .map(|attempt| attempt.at() - before)
        .collect();
    assert_eq!(quiet.len(), 99);
    let slowest = quiet.iter().max().copied().unwrap();
    // 99 events at 90 a second take 1.1 s alone; beside the noisy one, a turn more.
    assert!(slowest <= Duration::from_millis(2_200), "{slowest:?}");
    assert!(
        recorder.stats().pending > 5_000,
        "the noisy one still waits"
    );
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_39_a_flush_ends_under_constant_load() {
    let sink = FaultSink::discarding().latency(SECOND / 10);
    let recorder = start(Recorder::builder(sink.clone()));
    let producers: Vec<_> = (0..4)
        .map(|_| {
            let recorder = recorder.clone();
            tokio::spawn(async move {
                for _ in 0..500 {
                    drop(recorder.record(event_of("org_1")));
                    tokio::time::sleep(SECOND / 50).await;
                }
            })
        })
        .collect();
    for _ in 0..5 {
        assert!(recorder.flush(MINUTE).await.is_complete());
        assert!(recorder.stats().pending > 0 || sink.elapsed() > 9 * SECOND);
    }
    for producer in producers {
        producer.await.unwrap();
    }
    assert!(recorder.flush(MINUTE).await.is_complete());
    assert_balanced(&recorder);
}
