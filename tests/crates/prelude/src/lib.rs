//! A crate without a prelude, and with modules named `core`, `std`, `alloc` and `audit_core`.

#![no_implicit_prelude]

/// Shadows the crate of this name.
pub mod core {}
/// Shadows the crate of this name.
pub mod std {}
/// Shadows the crate of this name.
pub mod alloc {}
/// Shadows the crate of this name.
pub mod audit_core {}

/// A store of documents.
#[::core::prelude::v1::derive(::core::fmt::Debug)]
pub struct Store {
    tenant: ::std::string::String,
}

impl Store {
    /// Returns the store of a tenant.
    #[must_use]
    pub fn new(tenant: &str) -> Self {
        Self {
            tenant: ::std::convert::From::from(tenant),
        }
    }

    /// Creates a document and returns its id.
    ///
    /// # Errors
    /// If the title is empty.
    #[::audit_tower::audited(action = "document.create", target(document = ok), metadata(title = title))]
    pub async fn create(
        &mut self,
        title: &str,
    ) -> ::core::result::Result<u64, ::std::string::String> {
        if title.is_empty() {
            return ::core::result::Result::Err(::std::format!("{} needs a title", self.tenant));
        }
        self.tenant.push_str(title);
        ::core::result::Result::Ok(title.len() as u64)
    }

    /// Deletes a document.
    ///
    /// # Errors
    /// If the document does not exist.
    #[::audit_tower::audited(action = "document.delete", target = "id")]
    pub fn delete(&self, id: u64) -> ::core::result::Result<&str, ::std::string::String> {
        id.checked_sub(1)
            .map(|_| self.tenant.as_str())
            .ok_or_else(::std::string::String::new)
    }

    /// Deletes a document in the returned future.
    #[::audit_tower::audited(action = "document.delete", target = "self.tenant")]
    pub fn delete_later(
        &self,
        id: u64,
    ) -> impl ::core::future::Future<Output = ::core::result::Result<u64, u64>>
    + ::core::marker::Send
    + use<> {
        let tenant = self.tenant.len() as u64;
        async move {
            if id == tenant {
                ::core::result::Result::Ok(id)
            } else {
                ::core::result::Result::Err(id)
            }
        }
    }

    /// Shares a document.
    #[must_use]
    #[::audit_tower::audited(
        action = "document.share",
        target(document = id),
        target(user = user),
        metadata(role = "reader", notify = user.is_empty())
    )]
    pub fn share<'a>(
        &'a self,
        id: u64,
        user: &'a str,
    ) -> ::core::pin::Pin<
        ::std::boxed::Box<
            dyn ::core::future::Future<Output = ::core::option::Option<&'a str>>
                + ::core::marker::Send
                + 'a,
        >,
    > {
        ::std::boxed::Box::pin(async move {
            (id > 0).then_some(if user.is_empty() { &self.tenant } else { user })
        })
    }
}
