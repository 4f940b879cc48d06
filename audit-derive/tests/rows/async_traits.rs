//! `#[async_trait]` around `#[audited]`.

use std::sync::Arc;

use async_trait::async_trait;
use audit_derive::audited;

use crate::support::{Body, Json, NONE, Path, all, body, is_send, leave, one};

type Answer<T> = Result<T, String>;

#[async_trait]
trait Documents: Send + Sync {
    type Stream;

    fn tenant(&self) -> &str;
    async fn delete(&self, id: u64) -> Answer<u64>;
    async fn with_path(&self, path: Path<u64>) -> Answer<u64>;
    async fn with_body(&mut self, body: Json<Body>, name: &str) -> Answer<usize>;
    async fn owned(self: Arc<Self>, id: String);
    async fn mutated(mut self, mut name: String) -> String
    where
        Self: Sized;
    async fn denied(&self, path: Path<u64>) -> Answer<u64>;
    async fn subscribe(&self, request: Path<u64>) -> Result<Path<Self::Stream>, String>;

    #[audited(action = "document.delete", target(document = self.tenant()))]
    async fn by_default(&self, id: u64) -> u64 {
        id + self.tenant().len() as u64
    }
}

struct Store {
    tenant: String,
}

fn store() -> Store {
    Store {
        tenant: "acme".to_owned(),
    }
}

#[async_trait]
impl Documents for Store {
    type Stream = Vec<u8>;

    fn tenant(&self) -> &str {
        &self.tenant
    }

    #[audited(action = "document.delete", target = "id")]
    async fn delete(&self, id: u64) -> Answer<u64> {
        let shorter = u8::try_from(id).map_err(|error| error.to_string())?;
        if shorter == 0 {
            return Err(format!("{} has no document 0", self.tenant));
        }
        std::future::ready(()).await;
        Ok(u64::from(shorter))
    }

    #[audited(action = "document.delete", target = "id")]
    async fn with_path(&self, Path(id): Path<u64>) -> Answer<u64> {
        Ok(id)
    }

    #[audited(
        action = "document.share",
        target(document = id),
        target(user = self.tenant.len()),
        metadata(role = name),
    )]
    async fn with_body(
        &mut self,
        Json(Body {
            id,
            name: mut moved,
            ..
        }): Json<Body>,
        name: &str,
    ) -> Answer<usize> {
        self.tenant.push_str(name);
        moved.push_str(&self.tenant);
        Ok(moved.len() + usize::try_from(id).unwrap_or_default())
    }

    #[audited(action = "document.delete", target = "self.tenant")]
    async fn owned(self: Arc<Self>, id: String) {
        drop(id);
    }

    #[audited(action = "document.delete", target(document = name), organization = self.tenant)]
    async fn mutated(mut self, mut name: String) -> String {
        name.push('!');
        self.tenant.clear();
        name + &self.tenant
    }

    #[audited(
        action = "document.delete",
        target(document = id, name = self.tenant),
        event = ev,
        error = display,
    )]
    async fn denied(&self, Path(id): Path<u64>) -> Answer<u64> {
        std::future::ready(()).await;
        ev.target(audit_core::Target::new("document", self.tenant.len()));
        ev.deny("not yours");
        Err("gone".to_owned())
    }

    #[audited(action = "document.share", target(document = ok.0.len()), target(user = id), metadata(role = "reader"))]
    async fn subscribe(&self, Path(id): Path<u64>) -> Result<Path<Self::Stream>, String> {
        let length = usize::try_from(id).map_err(|error| error.to_string())?;
        Ok(Path(vec![0; length]))
    }
}

#[async_trait(?Send)]
trait Local {
    async fn local(&self, id: std::rc::Rc<u64>) -> Answer<u64>;
}

#[async_trait(?Send)]
impl Local for Store {
    #[audited(action = "document.delete", target(document = *id))]
    async fn local(&self, id: std::rc::Rc<u64>) -> Answer<u64> {
        std::future::ready(()).await;
        Ok(*id)
    }
}

leave! {
    row_24_async_trait: is_send(store().delete(7)).await => "document.delete document:7 succeeded";
    row_24_early_return: store().delete(0).await => "document.delete document:0 failed";
    row_24_question_mark: store().delete(256).await => "document.delete document:256 failed";
    row_24_as_an_object: Box::<dyn Documents<Stream = Vec<u8>>>::from(Box::new(store())).delete(3).await
        => "document.delete document:3 succeeded";
    row_24_arc_receiver: Arc::new(store()).owned("x".to_owned()).await => "document.delete document:acme succeeded";
    row_24_value_receiver: store().mutated("x".to_owned()).await => "document.delete document:x succeeded";
    row_24_default: store().by_default(1).await => "document.delete document:acme succeeded";
    row_24_not_send: store().local(std::rc::Rc::new(5)).await => "document.delete document:5 succeeded";
    row_25_tuple_struct: is_send(store().with_path(Path(4))).await => "document.delete document:4 succeeded";
    row_25_fields_and_self: store().with_body(Json(body(1)), "reader").await
        => "document.share document:1,user:4 succeeded";
    further_arguments: is_send(store().denied(Path(9))).await => "document.delete document:9,document:4 denied";
    trap_14_streams_of_tonic: store().subscribe(Path(2)).await => "document.share user:2,document:2 succeeded";
}

#[tokio::test]
async fn row_24_an_unpolled_future_leaves_no_event() {
    let left = all(async { drop(store().delete(1)) }).await;
    assert_eq!(left, NONE);
}

#[tokio::test]
async fn row_26_only_the_functions_of_the_impl_are_audited() {
    // A declaration is rejected with an error that explains this; see tests/ui/shapes.
    let left = one(async { drop(store().with_path(Path(9)).await) }).await;
    assert_eq!(left, "document.delete document:9 succeeded");
}
