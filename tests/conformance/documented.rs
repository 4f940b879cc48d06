//! The routes of the API with the statuses that its reference documents for each. The tests have to
//! cover them all.
//!
//! Sources: the WorkOS API reference, <https://workos.com/docs/reference/audit-logs>, and for the
//! statuses of every route <https://workos.com/docs/reference/errors>.

/// A route of the service.
#[derive(Debug)]
pub(crate) struct Route {
    /// The module of its tests.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    /// The path, with `{…}` for its variables.
    pub(crate) path: &'static str,
    /// The schema of its successful response, a file in `schemas`.
    pub(crate) response: &'static str,
    /// Its statuses besides [`EVERY_ROUTE`].
    pub(crate) statuses: &'static [u16],
}

/// No key or a wrong one, a key without the permission, too many requests.
pub(crate) const EVERY_ROUTE: [u16; 3] = [401, 403, 429];

pub(crate) const ROUTES: &[Route] = &[
    Route {
        name: "create_event",
        method: "POST",
        path: "/audit_logs/events",
        response: "event_created",
        statuses: &[200, 400, 404, 422],
    },
    Route {
        name: "create_schema",
        method: "POST",
        path: "/audit_logs/actions/{actionName}/schemas",
        response: "schema",
        statuses: &[201, 422],
    },
    Route {
        name: "list_schemas",
        method: "GET",
        path: "/audit_logs/actions/{actionName}/schemas",
        response: "schema_list",
        statuses: &[200, 404, 422],
    },
    Route {
        name: "list_actions",
        method: "GET",
        path: "/audit_logs/actions",
        response: "action_list",
        statuses: &[200],
    },
    Route {
        name: "create_export",
        method: "POST",
        path: "/audit_logs/exports",
        response: "export",
        statuses: &[201, 400],
    },
    Route {
        name: "get_export",
        method: "GET",
        path: "/audit_logs/exports/{id}",
        response: "export",
        statuses: &[200, 404],
    },
    Route {
        name: "get_retention",
        method: "GET",
        path: "/organizations/{id}/audit_logs_retention",
        response: "retention",
        statuses: &[200, 404],
    },
    Route {
        name: "set_retention",
        method: "PUT",
        path: "/organizations/{id}/audit_logs_retention",
        response: "retention",
        statuses: &[200, 404, 422],
    },
    Route {
        name: "get_configuration",
        method: "GET",
        path: "/organizations/{id}/audit_log_configuration",
        response: "configuration",
        statuses: &[200, 404],
    },
    Route {
        name: "generate_link",
        method: "POST",
        path: "/portal/generate_link",
        response: "portal_link",
        statuses: &[201, 400, 404, 422],
    },
];

impl Route {
    /// Returns the route whose tests are in this module.
    pub(crate) fn named(name: &str) -> &'static Route {
        ROUTES.iter().find(|route| route.name == name).unwrap()
    }

    /// Returns the method and path, as in the tables.
    pub(crate) fn title(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    /// Returns `true` if the request is to this route.
    pub(crate) fn matches(&self, method: &str, path: &str) -> bool {
        let path = path.split('?').next().unwrap_or_default();
        let (wanted, found) = (self.path.split('/'), path.split('/'));
        method == self.method
            && wanted.clone().count() == found.clone().count()
            && wanted
                .zip(found)
                .all(|(wanted, found)| wanted.starts_with('{') || wanted == found)
    }

    /// Returns the schema of the response with this status.
    pub(crate) fn schema(&self, status: u16) -> &'static str {
        match (self.name, status) {
            (_, 200 | 201) => self.response,
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
