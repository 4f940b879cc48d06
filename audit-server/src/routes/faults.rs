//! `GET`, `POST` and `DELETE /_local/faults`.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::HeaderValue;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::paging::List;
use crate::app::App;
use crate::body;
use crate::fault::{Effect, Fault, MAX_FAULTS};
use crate::response::{ApiResponse, ApiResult};

/// The longest delay, in milliseconds: longer than any client's timeout.
const MAX_DELAY_MS: u64 = 10 * 60 * 1_000;

/// A fault as JSON. At most one of `status`, `reset`, `cut_after` and `export_error`; without any
/// of them `delay_ms` is required.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct FaultForm {
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    times: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delay_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    retry_after: Option<RetryAfter>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    reset: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    cut_after: Option<u64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    export_error: bool,
}

/// Seconds, or a string such as an HTTP date.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum RetryAfter {
    Seconds(u64),
    Text(String),
}

impl FaultForm {
    fn into_fault(self) -> Result<Fault, String> {
        let mut effects = Vec::new();
        let retry_after = self.retry_after.map(|value| match value {
            RetryAfter::Seconds(seconds) => seconds.to_string(),
            RetryAfter::Text(text) => text,
        });
        if retry_after.is_some() && self.status.is_none() {
            return Err("retry_after needs a status".to_owned());
        }
        if let Some(text) = &retry_after
            && HeaderValue::try_from(text.as_str()).is_err()
        {
            return Err(
                "retry_after has to be seconds or a string that is a valid header value".to_owned(),
            );
        }
        if let Some(status) = self.status {
            if !(200..600).contains(&status) {
                return Err("status has to be from 200 to 599".to_owned());
            }
            effects.push(Effect::Status {
                status,
                retry_after,
            });
        }
        if self.reset {
            effects.push(Effect::Reset);
        }
        effects.extend(self.cut_after.map(Effect::CutAfter));
        if self.export_error {
            effects.push(Effect::ExportFails);
        }
        let delay = self.delay_ms.unwrap_or_default();
        if delay > MAX_DELAY_MS {
            return Err(format!("delay_ms is at most {MAX_DELAY_MS}"));
        }
        if effects.len() > 1 || (effects.is_empty() && delay == 0) {
            return Err(
                "a fault has exactly one of status, reset, cut_after and export_error, or a delay_ms alone"
                    .to_owned(),
            );
        }
        let fails = effects == [Effect::ExportFails];
        let mut fault = Fault::new(effects.pop().unwrap_or(Effect::Nothing));
        if fails {
            fault = Fault::export_error();
        } else {
            fault.method = self.method;
            fault.path = self.path;
        }
        Ok(fault
            .times(self.times.unwrap_or(1))
            .delay(Duration::from_millis(delay)))
    }

    fn from_fault(fault: Fault) -> Self {
        let mut form = Self {
            method: fault.method,
            path: fault.path,
            times: Some(fault.times),
            delay_ms: u64::try_from(fault.delay.as_millis())
                .ok()
                .filter(|delay| *delay > 0),
            ..Self::default()
        };
        match fault.effect {
            Effect::Nothing => {}
            Effect::Status {
                status,
                retry_after,
            } => {
                form.status = Some(status);
                form.retry_after = retry_after.map(RetryAfter::Text);
            }
            Effect::Reset => form.reset = true,
            Effect::CutAfter(bytes) => form.cut_after = Some(bytes),
            Effect::ExportFails => form.export_error = true,
        }
        form
    }
}

/// Panics if an accepted fault, written as JSON, is not accepted again as the same fault.
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) fn check_fault(body: serde_json::Value) {
    let read = |body| {
        let form = serde_json::from_value::<FaultForm>(body).ok()?;
        form.into_fault().ok()
    };
    if let Some(fault) = read(body) {
        let shown = serde_json::to_value(FaultForm::from_fault(fault.clone()));
        assert_eq!(shown.ok().and_then(read), Some(fault));
    }
}

/// Adds a fault; removes the oldest if a hundred are pending.
pub(super) async fn add(State(app): State<Arc<App>>, request: Request) -> ApiResult {
    let (parts, body) = request.into_parts();
    let body = body::parse(&parts.headers, &body::read(&app, body).await?)?;
    let fault = serde_json::from_value::<FaultForm>(body)
        .map_err(|error| error.to_string())
        .and_then(FaultForm::into_fault)
        .map_err(|error| ApiResponse::unprocessable(&format!("Invalid fault: {error}.")))?;
    app.faults.add(fault.clone());
    Ok(ApiResponse::created(&FaultForm::from_fault(fault)))
}

/// Lists the pending faults, oldest first, each with its remaining `times`. At most a hundred.
pub(super) async fn list(State(app): State<Arc<App>>) -> ApiResponse {
    let mut faults = app.faults.list();
    faults.truncate(MAX_FAULTS);
    let forms = faults.into_iter().map(FaultForm::from_fault).collect();
    ApiResponse::ok(&List::new(forms, None, None))
}

/// Removes all pending faults.
pub(super) async fn clear(State(app): State<Arc<App>>) -> ApiResponse {
    ApiResponse::ok(&json!({ "cleared": app.faults.clear() }))
}
