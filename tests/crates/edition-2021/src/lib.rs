//! A crate of the edition 2021.

use std::future::Future;
use std::pin::Pin;

use audit_tower::audited;

/// A store of documents.
#[derive(Debug)]
pub struct Store {
    tenant: String,
}

impl Store {
    /// Returns the store of a tenant.
    #[must_use]
    pub fn new(tenant: &str) -> Self {
        Self {
            tenant: tenant.to_owned(),
        }
    }

    /// Creates a document and returns its id.
    ///
    /// # Errors
    /// If the title is empty.
    #[audited(action = "document.create", target(document = ok), metadata(title = title))]
    pub async fn create(&mut self, title: &str) -> Result<u64, String> {
        if title.is_empty() {
            return Err(format!("{} needs a title", self.tenant));
        }
        self.tenant.push_str(title);
        Ok(title.len() as u64)
    }

    /// Deletes a document.
    ///
    /// # Errors
    /// If the document does not exist.
    #[audited(action = "document.delete", target = "id")]
    pub fn delete(&self, id: u64) -> Result<&str, String> {
        id.checked_sub(1)
            .map(|_| self.tenant.as_str())
            .ok_or_else(String::new)
    }

    /// Deletes a document in the returned future.
    #[audited(action = "document.delete", target = "self.tenant")]
    pub fn delete_later(&self, id: u64) -> impl Future<Output = Result<u64, u64>> + Send {
        let tenant = self.tenant.len() as u64;
        async move {
            if id == tenant {
                Ok(id)
            } else {
                Err(id)
            }
        }
    }

    /// Shares a document.
    #[must_use]
    #[audited(
        action = "document.share",
        target(document = id),
        target(user = user),
        metadata(role = "reader", notify = user.is_empty())
    )]
    pub fn share<'a>(
        &'a self,
        id: u64,
        user: &'a str,
    ) -> Pin<Box<dyn Future<Output = Option<&'a str>> + Send + 'a>> {
        Box::pin(
            async move { (id > 0).then_some(if user.is_empty() { &self.tenant } else { user }) },
        )
    }
}
