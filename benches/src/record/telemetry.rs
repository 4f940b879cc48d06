//! OpenTelemetry: a log record through the batch processor to an exporter that discards it.

use std::time::{Duration, SystemTime};

use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{
    BatchConfigBuilder, BatchLogProcessor, LogBatch, LogExporter, SdkLogger, SdkLoggerProvider,
};

use super::contender::{CAPACITY, Consumer, Contender, wait_for};
use crate::Result;
use crate::counting_sink::ConsumedCount;
use crate::event_data::{ACTION, EventData, PAGES, TARGET_TYPE};

pub(super) struct Telemetry {
    data: EventData,
    provider: SdkLoggerProvider,
    logger: SdkLogger,
    consumed: ConsumedCount,
    emitted: u64,
}

#[derive(Debug)]
struct Exporter {
    consumed: ConsumedCount,
}

impl LogExporter for Exporter {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        self.consumed.add(batch.iter().count() as u64);
        Ok(())
    }
}

impl Telemetry {
    pub(super) fn new(data: EventData, consumer: Consumer) -> Result<Self> {
        let consumed = ConsumedCount::default();
        // A full batch wakes the processor's thread: one of the default size, or one that no
        // measurement fills before its flush.
        let batch = match consumer {
            Consumer::Idle => CAPACITY,
            Consumer::Live => 512,
        };
        let config = BatchConfigBuilder::default()
            .with_max_queue_size(CAPACITY)
            .with_max_export_batch_size(batch)
            .with_scheduled_delay(Duration::from_secs(3_600))
            .build();
        let exporter = Exporter {
            consumed: consumed.clone(),
        };
        let processor = BatchLogProcessor::builder(exporter)
            .with_batch_config(config)
            .build();
        let provider = SdkLoggerProvider::builder()
            .with_log_processor(processor)
            .build();
        let logger = provider.logger("audit");
        Ok(Self {
            data,
            provider,
            logger,
            consumed,
            emitted: 0,
        })
    }

    #[inline]
    #[expect(
        clippy::disallowed_methods,
        reason = "the peer needs the time from its caller, which is part of what is measured"
    )]
    fn emit_one(&self, id: u64) {
        let EventData {
            organization,
            actor_id,
            actor_name,
            target_name,
            location,
            user_agent,
            reason,
        } = &self.data;
        let text = |text: &str| AnyValue::from(text.to_owned());
        let mut record = self.logger.create_log_record();
        record.set_event_name(ACTION);
        record.set_severity_number(Severity::Info);
        record.set_timestamp(SystemTime::now());
        record.add_attribute("organization.id", text(organization));
        record.add_attribute("actor.id", text(actor_id));
        record.add_attribute("actor.name", text(actor_name));
        record.add_attribute("target.type", TARGET_TYPE);
        record.add_attribute("target.id", id.to_string());
        record.add_attribute("target.name", text(target_name));
        record.add_attribute("location", text(location));
        record.add_attribute("user_agent", text(user_agent));
        record.add_attribute("reason", text(reason));
        record.add_attribute("pages", PAGES);
        record.add_attribute("outcome", "succeeded");
        self.logger.emit(record);
    }
}

impl Contender for Telemetry {
    fn label(&self) -> &'static str {
        "OpenTelemetry emit, batch processor"
    }

    fn begin(&mut self, _: u64) -> Result<()> {
        Ok(())
    }

    fn emit(&mut self, events: u64) {
        for id in 0..events {
            self.emit_one(id);
        }
        self.emitted += events;
    }

    fn finish(&mut self) -> Result<()> {
        self.provider.force_flush()?;
        wait_for(&self.consumed, self.emitted, self.label())
    }

    fn consumed(&self) -> &ConsumedCount {
        &self.consumed
    }
}
