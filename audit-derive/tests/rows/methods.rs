//! Methods and functions in traits.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use audit_derive::audited;

use crate::support::{all, is_send, leave};

pub(crate) struct Store {
    pub(crate) id: String,
    pub(crate) items: Vec<u64>,
}

pub(crate) fn store() -> Store {
    Store {
        id: "s".to_owned(),
        items: Vec::new(),
    }
}

impl Store {
    #[audited(action = "document.delete", target = "self.id")]
    async fn by_reference(&self) -> &str {
        &self.id
    }

    #[audited(action = "document.delete", target = "self.id")]
    fn by_mutable(&mut self) -> Result<&mut u64, String> {
        self.items.push(1);
        self.items.last_mut().ok_or_else(String::new)
    }

    #[audited(action = "document.delete", target = "self.id")]
    async fn by_mutable_async(&mut self) -> Option<&mut u64> {
        self.items.push(1);
        self.items.last_mut()
    }

    #[audited(action = "document.delete", target = "self.id")]
    async fn by_value(self) -> usize {
        self.items.len()
    }

    #[audited(action = "document.delete", target = "self.id")]
    async fn by_mutable_value(mut self) -> Self {
        self.items.clear();
        self
    }

    #[audited(action = "document.delete", target = "self.id")]
    fn by_value_and_parts(self) -> (String, Vec<u64>) {
        (self.id, self.items)
    }

    #[audited(action = "document.delete", target = "self.id")]
    async fn by_arc(self: Arc<Self>) -> usize {
        self.items.len()
    }

    #[audited(action = "document.delete", target = "self.id")]
    fn by_box(self: Box<Self>) -> Self {
        *self
    }

    #[audited(action = "document.delete", target(document = self.id))]
    fn by_pin(self: Pin<&mut Self>) -> &mut u64 {
        let this = self.get_mut();
        this.items.push(1);
        &mut this.items[0]
    }

    #[audited(action = "document.delete", target(document = self.id))]
    async fn by_pin_async(mut self: Pin<&mut Self>) -> usize {
        self.as_mut().items.push(1);
        self.items.len()
    }
}

trait Trait {
    fn id(&self) -> u64;

    #[audited(action = "document.delete", target(document = self.id()))]
    fn sync_default(&self) -> u64 {
        self.id()
    }

    #[audited(action = "document.delete", target(document = self.id()))]
    async fn async_default(&self) -> Result<u64, String>
    where
        Self: Sync,
    {
        Ok(self.id())
    }

    fn returns_a_future(&self, id: u64) -> impl Future<Output = Result<u64, String>> + Send;

    #[audited(action = "document.delete", target = "id")]
    fn returns_a_future_by_default(
        &self,
        id: u64,
    ) -> impl Future<Output = Result<u64, String>> + Send {
        async move { Ok(id) }
    }
}

impl Trait for Store {
    #[audited(action = "document.delete", target = "self.id")]
    fn id(&self) -> u64 {
        self.items.len() as u64
    }

    #[audited(action = "document.delete", target = "id")]
    async fn returns_a_future(&self, id: u64) -> Result<u64, String> {
        Err(format!("{} has no {id}", self.id))
    }
}

/// Uses the default functions of the trait.
struct Defaults;

impl Trait for Defaults {
    fn id(&self) -> u64 {
        8
    }

    #[audited(action = "document.delete", target = "id")]
    fn returns_a_future(&self, id: u64) -> impl Future<Output = Result<u64, String>> + Send {
        async move { Ok(id) }
    }
}

leave! {
    row_21_reference: is_send(store().by_reference()).await => "document.delete document:s succeeded";
    row_21_mutable_reference: store().by_mutable() => "document.delete document:s succeeded";
    row_21_mutable_reference_async: store().by_mutable_async().await => "document.delete document:s succeeded";
    row_21_value: store().by_value().await => "document.delete document:s succeeded";
    row_21_mutable_value: is_send(store().by_mutable_value()).await => "document.delete document:s succeeded";
    row_21_value_in_parts: store().by_value_and_parts() => "document.delete document:s succeeded";
    row_22_arc: Arc::new(store()).by_arc().await => "document.delete document:s succeeded";
    row_22_box: Box::new(store()).by_box() => "document.delete document:s succeeded";
    row_22_pin: Pin::new(&mut store()).by_pin() => "document.delete document:s succeeded";
    row_22_pin_async: Pin::new(&mut store()).by_pin_async().await => "document.delete document:s succeeded";
    row_23_field_of_self: Trait::id(&store()) => "document.delete document:s succeeded";
    row_27_default: Defaults.sync_default() => "document.delete document:8 succeeded";
    row_27_async_default: Defaults.async_default().await => "document.delete document:8 succeeded";
    row_27_future_in_a_trait: is_send(Defaults.returns_a_future(2)).await => "document.delete document:2 succeeded";
    row_27_future_by_default: is_send(Defaults.returns_a_future_by_default(3)).await
        => "document.delete document:3 succeeded";
    row_27_async_for_a_future: is_send(store().returns_a_future(4)).await => "document.delete document:4 failed";
}

#[tokio::test]
async fn trap_12_an_audited_function_that_calls_another_leaves_both_events() {
    let left = all(async { drop(store().sync_default()) }).await;
    assert_eq!(
        left,
        [
            "document.delete document:s succeeded",
            "document.delete document:s succeeded",
            "document.delete document:0 succeeded"
        ]
    );
}
