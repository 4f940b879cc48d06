//! What the API's reference says that each route answers: the routes and statuses that the tests
//! have to reach, written once.
//!
//! Sources: the WorkOS API reference, <https://workos.com/docs/reference/audit-logs>, and for the
//! three of every route
//! <https://workos.com/docs/reference/errors>.

/// A route of the service.
#[derive(Debug)]
pub(crate) struct Route {
    /// The module of its tests.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// With `{…}` for what differs from request to request.
    pub(crate) path: &'static str,
    /// The schema of its answer when all is well, a file in `schemas`.
    pub(crate) answer: &'static str,
    /// What it answers besides [`EVERY_ROUTE`].
    pub(crate) statuses: &'static [u16],
}

/// No key or a wrong one, a key without the permission, too many requests.
pub(crate) const EVERY_ROUTE: [u16; 3] = [401, 403, 429];

pub(crate) const ROUTES: &[Route] = &[
    Route {
        name: "create_event",
        method: "POST",
        path: "/audit_logs/events",
        answer: "event_created",
        statuses: &[200, 400, 404, 422],
    },
    Route {
        name: "create_schema",
        method: "POST",
        path: "/audit_logs/actions/{actionName}/schemas",
        answer: "schema",
        statuses: &[201, 422],
    },
    Route {
        name: "list_schemas",
        method: "GET",
        path: "/audit_logs/actions/{actionName}/schemas",
        answer: "schema_list",
        statuses: &[200, 404, 422],
    },
    Route {
        name: "list_actions",
        method: "GET",
        path: "/audit_logs/actions",
        answer: "action_list",
        statuses: &[200],
    },
    Route {
        name: "create_export",
        method: "POST",
        path: "/audit_logs/exports",
        answer: "export",
        statuses: &[201, 400],
    },
    Route {
        name: "get_export",
        method: "GET",
        path: "/audit_logs/exports/{id}",
        answer: "export",
        statuses: &[200, 404],
    },
    Route {
        name: "get_retention",
        method: "GET",
        path: "/organizations/{id}/audit_logs_retention",
        answer: "retention",
        statuses: &[200, 404],
    },
    Route {
        name: "set_retention",
        method: "PUT",
        path: "/organizations/{id}/audit_logs_retention",
        answer: "retention",
        statuses: &[200, 404, 422],
    },
    Route {
        name: "get_configuration",
        method: "GET",
        path: "/organizations/{id}/audit_log_configuration",
        answer: "configuration",
        statuses: &[200, 404],
    },
    Route {
        name: "generate_link",
        method: "POST",
        path: "/portal/generate_link",
        answer: "portal_link",
        statuses: &[201, 400, 404, 422],
    },
];

impl Route {
    /// The route whose tests are in this module.
    pub(crate) fn named(name: &str) -> &'static Route {
        ROUTES.iter().find(|route| route.name == name).unwrap()
    }

    /// As the tables write it.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Whether a request is one to this route.
    pub(crate) fn is(&self, method: &str, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let (wanted, found) = (self.path.split('/'), path.split('/'));
        method == self.method
            && wanted.clone().count() == found.clone().count()
            && wanted
                .zip(found)
                .all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
    }

    /// The schema of an answer.
    pub(crate) fn schema(&self, status: u16) -> &'static str {
        match (self.name, status) {
            (_, 200 | 201) => self.answer,
            ("create_event", 400) => "event_refused",
            ("create_event", 404) => "organization_not_found",
            ("create_event", 422) => "event_malformed",
            ("create_export", 400) => "export_refused",
            ("get_export", 404) => "export_not_found",
            (_, 429) => "rate_limited",
            _ => "message",
        }
    }
}
