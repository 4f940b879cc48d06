//! The event of an audited route, and the values of the request that fill it.

use std::panic::Location;

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use audit_core::private::open_action;
use audit_core::{Action, Draft, Target};

use super::value::{Lookup, RequestValue};
use crate::scope::request_scope;

/// The action of a route's events, and the fields that each request fills.
#[derive(Clone, Debug)]
pub(super) struct EventTemplate {
    action: Action,
    /// The call of `AuditRoute::new`, for the log line about a missing recorder.
    created_at: &'static Location<'static>,
    fields: Vec<Field>,
}

/// One field of the event, whose value comes from the request.
#[derive(Clone, Debug)]
pub(super) enum Field {
    Target {
        kind: &'static str,
        id: RequestValue,
        name: Option<RequestValue>,
    },
    Metadata(&'static str, RequestValue),
}

impl EventTemplate {
    pub(super) fn new(action: Action, created_at: &'static Location<'static>) -> Self {
        Self {
            action,
            created_at,
            fields: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, field: Field) {
        self.fields.push(field);
    }

    /// Opens the draft of a request in the request's scope, with all fields.
    pub(super) fn open(&self, request: &ServiceRequest) -> Draft {
        let open = || open_action(self.action, self.created_at);
        // Found first, so that the extensions are not borrowed while the draft opens.
        let scope = request_scope(&request.extensions());
        let mut draft = match scope {
            Some(scope) => scope.enter(open),
            None => open(),
        };
        if draft.is_recording() {
            for field in &self.fields {
                field.write(request, &mut draft);
            }
        }
        draft
    }
}

impl Field {
    fn write(&self, request: &ServiceRequest, draft: &mut Draft) {
        match self {
            Self::Target { kind, id, name } => {
                let target = match id.find(request) {
                    Lookup::Found(id) => Target::new(kind, id),
                    Lookup::Unresolved => Target::new(kind, "unresolved"),
                    Lookup::Absent => return,
                };
                draft.target(match name.as_ref().map(|name| name.find(request)) {
                    Some(Lookup::Found(name)) => target.name(name),
                    Some(Lookup::Absent | Lookup::Unresolved) | None => target,
                });
            }
            Self::Metadata(key, value) => {
                if let Lookup::Found(value) = value.find(request) {
                    draft.metadata(key, value);
                }
            }
        }
    }
}
