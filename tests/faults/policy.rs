//! Retry, backoff, rate limiting and fairness of the dispatcher, under a virtual clock.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use audit_tower::testing::{FaultSink, assert_balanced};
use audit_tower::{Action, Fault, HealthState, RateLimit, Recorder};

use crate::support::{HOUR, MINUTE, SECOND, assert_delivered, event_of, record, start};

#[tokio::test(start_paused = true)]
async fn fault_01_full_queue_returns_every_refused_event() {
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
async fn fault_02_gap_is_reported_once_per_organization() {
    const GAP: Action = Action::checked("audit.gap");
    let gaps = Arc::new(Mutex::new(Vec::new()));
    let received = Arc::clone(&gaps);
    let sink = FaultSink::discarding().respond_with(move |event, attempt| {
        if attempt.at() < MINUTE {
            return Err(Fault::retryable("503"));
        }
        if event.action() == "audit.gap" {
            let count = event.metadata_value("count").unwrap().to_string();
            let organization = event.organization().unwrap().to_owned();
            received.lock().unwrap().push((organization, count));
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
async fn fault_04_shutdown_delivers_everything_and_a_second_returns_the_same_report() {
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
async fn fault_05_shutdown_ends_at_its_deadline_and_the_hook_receives_lost_events() {
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
    // The last half second is the hook's, which took no time.
    assert_eq!(sink.elapsed() - before, 5 * SECOND - SECOND / 2);
    assert_eq!((report.delivered, report.lost), (0, 50));
    assert_balanced(&recorder);
    let mut lost = lost.lock().unwrap().clone();
    lost.sort_unstable();
    recorded.sort_unstable();
    assert_eq!(lost, recorded);
}

#[tokio::test(start_paused = true)]
async fn fault_09_panic_in_the_sink_or_hook_costs_one_event() {
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
async fn fault_19_slow_sink_receives_the_allowed_number_of_concurrent_attempts() {
    let sink = FaultSink::discarding().latency(5 * SECOND);
    let recorder = start(Recorder::builder(sink.clone()).concurrency(32));
    let recorded = record(&recorder, 1_000);
    assert!(recorder.flush(HOUR).await.is_complete());
    // 1,000 events at a concurrency of 32 are 32 rounds of 5 s; the first rounds have fewer.
    let took = sink.elapsed();
    assert!((160 * SECOND..200 * SECOND).contains(&took), "{took:?}");
    assert_delivered(&sink, &recorded);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_20_retry_after_pauses_all_delivery_for_its_time() {
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
        "with at most 10 % jitter"
    );
    assert_ne!(
        attempts[1].event_id(),
        first[0],
        "another event than the rate-limited one is the probe"
    );
    assert_eq!(attempts.len(), 102, "one attempt failed");
    assert_delivered(&sink, &recorded);
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_21_retry_after_is_capped_at_five_minutes_and_without_it_backoff_applies() {
    for (after, least, most) in [
        (
            Some(Duration::from_secs(1_000_000_000)),
            300 * SECOND,
            331 * SECOND,
        ),
        (Some(Duration::ZERO), SECOND / 2, 3 * SECOND),
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
async fn fault_22_attempts_per_minute_stay_within_the_rate_limit() {
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
async fn fault_23_server_errors_are_probed_at_most_once_a_second_and_then_all_events_arrive() {
    let outage = 30 * MINUTE;
    let sink = FaultSink::discarding()
        .fail_for(outage)
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
async fn fault_24_failing_event_backs_off_and_does_not_delay_others() {
    let failing = Arc::new(Mutex::new(None));
    let failing_id = Arc::clone(&failing);
    let sink = FaultSink::discarding().respond_with(move |event, _| {
        if *failing_id.lock().unwrap() == Some(event.id()) {
            return Err(Fault::retryable("500"));
        }
        Ok(())
    });
    let recorder = start(Recorder::builder(sink.clone()));
    let event = event_of("org_1");
    *failing.lock().unwrap() = Some(event.id());
    recorder.record(event).unwrap();
    for _ in 0..60 {
        let others = record(&recorder, 10);
        let before = sink.elapsed();
        while sink.delivered().len() < others.len()
            || !others.iter().all(|id| sink.delivered().contains(id))
        {
            tokio::time::sleep(SECOND / 100).await;
            assert!(
                sink.elapsed() - before < SECOND,
                "the failing event delays the others"
            );
        }
        tokio::time::sleep(MINUTE).await;
    }
    let failed = sink
        .attempts()
        .iter()
        .filter(|attempt| attempt.fault().is_some())
        .count();
    assert!((10..=60).contains(&failed), "{failed} attempts in an hour");
    assert_eq!(recorder.stats().pending, 1, "the failing event is kept");
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_25_rejected_event_becomes_a_dead_letter_and_does_not_delay_the_next() {
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
async fn fault_33_noisy_organization_delays_a_quiet_one_by_at_most_one_turn() {
    // Without other load, a quiet event is sent with the next attempt the rate limit allows.
    let sink = FaultSink::discarding().with_rate_limit(RateLimit::per_second(90.0));
    let recorder = start(Recorder::builder(sink.clone()).capacity(20_000));
    for _ in 0..10_000 {
        recorder.record(event_of("org_noisy")).unwrap();
    }
    // The initial burst of the rate limit is used up.
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
    // 99 events at 90 a second take 1.1 s alone; the noisy organization doubles it at most.
    assert!(slowest <= Duration::from_millis(2_200), "{slowest:?}");
    assert!(
        recorder.stats().pending > 5_000,
        "the noisy organization still has a backlog"
    );
    assert_balanced(&recorder);
}

#[tokio::test(start_paused = true)]
async fn fault_39_flush_completes_under_constant_load() {
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
