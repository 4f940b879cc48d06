//! A crate without a prelude, and with modules that are called `core` and `std`.

#![no_implicit_prelude]

/// Not the one.
pub mod core {}
/// Not the one.
pub mod std {}
/// Not the one.
pub mod alloc {}
/// Not the one.
pub mod audit_core {}

/// A store of documents.
#[::core::prelude::v1::derive(::core::fmt::Debug)]
pub struct Store {
    tenant: ::std::string::String,
}

impl Store {
    /// The store of a tenant.
    #[must_use]
    pub fn new(tenant: &str) -> Self {
        Self {
            tenant: ::std::convert::From::from(tenant),
        }
    }

    /// Creates a document and gives its id.
    ///
    /// # Errors
    /// When the title is empty.
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

    /// Deletes a document, at once.
    ///
    /// # Errors
    /// When there is none.
    #[::audit_tower::audited(action = "document.delete", target = "id")]
    pub fn delete(&self, id: u64) -> ::core::result::Result<&str, ::std::string::String> {
        id.checked_sub(1)
            .map(|_| self.tenant.as_str())
            .ok_or_else(::std::string::String::new)
    }

    /// Deletes a document, later.
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
