//! Where a layer looks for the principal and the organization of a request, and in which order.

use std::any::type_name;
use std::fmt;
use std::sync::Arc;

use crate::event::OrganizationId;
use crate::scope::Scope;

/// Where a layer looks for the principal and the organization of a request, which a framework has
/// as an `R`.
///
/// Of the principals the first that is found counts, of the organizations as well, each in the
/// order in which they were added. An organization that the principal names is used instead of one
/// that is found here, since the sign-in vouches for the former, and the latter may be the client's
/// word.
pub struct IdentitySources<R: ?Sized> {
    principals: Vec<FindPrincipal<R>>,
    organizations: Vec<FindOrganization<R>>,
    /// The types that are looked for, as the log names them.
    expected: Option<Arc<str>>,
}

type FindPrincipal<R> = Arc<dyn Fn(&mut R, &Scope) -> bool + Send + Sync>;
type FindOrganization<R> = Arc<dyn Fn(&mut R) -> Option<OrganizationId> + Send + Sync>;

impl<R: ?Sized> IdentitySources<R> {
    /// Adds a function that looks for a principal, tells the scope of it, and answers whether there
    /// was one.
    pub fn principal(&mut self, find: impl Fn(&mut R, &Scope) -> bool + Send + Sync + 'static) {
        self.principals.push(Arc::new(find));
    }

    /// Names a type of principal that a sign-in is expected to leave, for the log line about an
    /// actor that nobody filled.
    pub fn expect<P: ?Sized>(&mut self) {
        let name = type_name::<P>();
        self.expected = Some(match &self.expected {
            // The log puts backticks around the whole.
            Some(names) => format!("{names}` or `{name}").into(),
            None => name.into(),
        });
    }

    /// Adds a function that looks for the organization.
    pub fn organization(
        &mut self,
        find: impl Fn(&mut R) -> Option<OrganizationId> + Send + Sync + 'static,
    ) {
        self.organizations.push(Arc::new(find));
    }

    /// Tells the scope what is found in a request.
    pub fn resolve(&self, request: &mut R, scope: &Scope) {
        let organization = self.organizations.iter().find_map(|find| find(request));
        if let Some(organization) = organization {
            scope.set_organization(organization);
        }
        if let Some(expected) = &self.expected {
            scope.expect_principal(Arc::clone(expected));
        }
        // After the organization, so that the principal's own is used instead.
        let _ = self.principals.iter().any(|find| find(request, scope));
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
            Actor::user(self.0)
        }

        fn organization(&self) -> Option<OrganizationId> {
            self.1.map(Into::into)
        }
    }

    /// The event of a request in which these are found, in this order.
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
    async fn the_first_that_is_found_counts() {
        let members = [None, Some(Member("u1", None)), Some(Member("u2", None))];
        let event = event(&members, &[None, Some("org_1"), Some("org_2")]).await;
        assert_eq!(event.actor().unwrap().id(), "u1");
        assert_eq!(event.organization(), Some("org_1"));
    }

    #[tokio::test]
    async fn the_principals_organization_is_used_instead_of_one_that_was_found() {
        let members = [Some(Member("u1", Some("org_own")))];
        let event = event(&members, &[Some("org_path")]).await;
        assert_eq!(event.organization(), Some("org_own"));
    }

    #[test]
    fn every_expected_type_is_named() {
        let mut sources = IdentitySources::<()>::default();
        sources.expect::<u8>();
        sources.expect::<str>();
        assert_eq!(sources.expected.as_deref(), Some("u8` or `str"));
    }
}
