//! The sources of a request's principal and organization, and their order.

use std::any::type_name;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::event::OrganizationId;
use crate::scope::Scope;

/// The sources of a request's principal and organization. `R` is the framework's request.
///
/// The first principal that is found wins, and likewise the first organization, in the order in
/// which the sources were added. The principal's own organization takes precedence over one found
/// here, since the sign-in vouches for it, and the other may be chosen by the client.
pub struct IdentitySources<R: ?Sized> {
    principals: Vec<FindPrincipal<R>>,
    organizations: Vec<FindOrganization<R>>,
    /// The names of the expected types, for the log.
    expected: Option<Arc<str>>,
}

type FindPrincipal<R> = Arc<dyn Fn(&mut R, &Scope) -> bool + Send + Sync>;
type FindOrganization<R> = Arc<dyn Fn(&mut R) -> Option<OrganizationId> + Send + Sync>;

impl<R: ?Sized> IdentitySources<R> {
    /// Adds a source of the principal: it sets the principal on the scope, and returns whether
    /// there was one.
    pub fn principal(&mut self, find: impl Fn(&mut R, &Scope) -> bool + Send + Sync + 'static) {
        self.principals.push(Arc::new(find));
    }

    /// Names a principal type that a sign-in is expected to insert, for the log line about a
    /// missing actor.
    pub fn expect<P: ?Sized>(&mut self) {
        let name = type_name::<P>();
        self.expected = Some(match &self.expected {
            // The log line adds the outer backticks.
            Some(names) => format!("{names}` or `{name}").into(),
            None => name.into(),
        });
    }

    /// Adds a source of the organization.
    pub fn organization(
        &mut self,
        find: impl Fn(&mut R) -> Option<OrganizationId> + Send + Sync + 'static,
    ) {
        self.organizations.push(Arc::new(find));
    }

    /// Sets on the scope the principal and the organization that the sources find.
    ///
    /// If a principal panics, later ones are not asked, the actor stays unresolved, and an error is
    /// logged: the audit of a request does not fail it.
    pub fn resolve(&self, request: &mut R, scope: &Scope) {
        let organization = self.organizations.iter().find_map(|find| find(request));
        if let Some(organization) = organization {
            scope.set_organization(organization);
        }
        if let Some(expected) = &self.expected {
            scope.expect_principal(Arc::clone(expected));
        }
        // After the organization, so that the principal's own takes precedence.
        let find = || self.principals.iter().any(|find| find(request, scope));
        if catch_unwind(AssertUnwindSafe(find)).is_err() {
            tracing::error!(
                expected = self.expected.as_deref(),
                "the principal of a request panicked; its events have an unresolved actor"
            );
        }
    }
}

impl<R: ?Sized> Default for IdentitySources<R> {
    fn default() -> Self {
        Self {
            principals: Vec::new(),
            organizations: Vec::new(),
            expected: None,
        }
    }
}

impl<R: ?Sized> Clone for IdentitySources<R> {
    fn clone(&self) -> Self {
        Self {
            principals: self.principals.clone(),
            organizations: self.organizations.clone(),
            expected: self.expected.clone(),
        }
    }
}

impl<R: ?Sized> fmt::Debug for IdentitySources<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdentitySources")
            .field("principals", &self.principals.len())
            .field("organizations", &self.organizations.len())
            .field("expected", &self.expected)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::{Actor, Event, Outcome};
    use crate::private::{close, open};
    use crate::recorder::Recorder;
    use crate::scope::Principal;
    use crate::sink::MemorySink;

    struct Member(&'static str, Option<&'static str>);

    impl Principal for Member {
        fn actor(&self) -> Actor {
            assert_ne!(self.0, "panics", "on purpose");
            Actor::user(self.0)
        }

        fn organization(&self) -> Option<OrganizationId> {
            self.1.map(Into::into)
        }
    }

    /// Returns the event of a request with these sources, in this order.
    async fn event(principals: &[Option<Member>], organizations: &[Option<&str>]) -> Event {
        type Request<'a> = (&'a [Option<Member>], &'a [Option<&'a str>]);
        let sink = MemorySink::new();
        let recorder = Recorder::builder(sink.clone()).build().unwrap();
        let mut sources = IdentitySources::<Request<'_>>::default();
        for index in 0..principals.len() {
            sources.principal(move |request, scope| {
                let found = &request.0[index];
                found.iter().for_each(|member| scope.set_principal(member));
                found.is_some()
            });
        }
        for index in 0..organizations.len() {
            sources.organization(move |request| request.1[index].map(Into::into));
        }
        let scope = recorder.scope();
        sources.resolve(&mut (principals, organizations), &scope);
        scope
            .run(async { close(open("document.delete"), Outcome::Succeeded) })
            .await;
        recorder.flush(Duration::from_secs(5)).await;
        sink.events().remove(0)
    }

    #[tokio::test]
    async fn the_first_source_that_finds_one_wins() {
        let members = [None, Some(Member("u1", None)), Some(Member("u2", None))];
        let event = event(&members, &[None, Some("org_1"), Some("org_2")]).await;
        assert_eq!(event.actor().unwrap().id(), "u1");
        assert_eq!(event.organization(), Some("org_1"));
    }

    #[tokio::test]
    async fn the_principals_organization_takes_precedence() {
        let members = [Some(Member("u1", Some("org_own")))];
        let event = event(&members, &[Some("org_path")]).await;
        assert_eq!(event.organization(), Some("org_own"));
    }

    #[tokio::test]
    async fn fault_55_a_principal_that_panics_leaves_an_event_with_an_unresolved_actor() {
        let members = [Some(Member("panics", None)), Some(Member("u2", None))];
        let event = event(&members, &[Some("org_1")]).await;
        assert!(event.actor().is_none_or(|actor| actor.id() != "u2"));
        assert_eq!(event.organization(), Some("org_1"));
    }

    #[test]
    fn the_log_names_every_expected_type() {
        let mut sources = IdentitySources::<()>::default();
        sources.expect::<u8>();
        sources.expect::<str>();
        assert_eq!(sources.expected.as_deref(), Some("u8` or `str"));
    }
}
