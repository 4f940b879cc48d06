//! Snapshots of whole expansions, and tests of the paths and the fallback.

use std::sync::Arc;

use audit_catalog::Catalog;

use crate::audited::fallback::attribute;
use crate::catalog::{Found, Problem};
use crate::snapshot;

const CATALOG: &str = r#"
[action."document.share"]
targets = ["document", "user"]
[action."document.share".metadata]
role = "string"
pages = "number?"
notify = "boolean?"
[action."document.delete"]
targets = ["document"]
[target.document.metadata]
size = "number?"
"#;

fn expand(facade: &str, arguments: &str, item: &str) -> String {
    let catalog = Arc::new(Catalog::parse(CATALOG, "audit.toml").unwrap());
    let found: Result<_, Problem> = Ok(Found {
        catalog,
        path: "/project/audit.toml".to_owned(),
    });
    attribute(
        facade,
        arguments.parse().unwrap(),
        item.parse().unwrap(),
        |_| found,
    )
    .to_string()
}

fn expands_to(name: &str, arguments: &str, item: &str) {
    snapshot::expands_to(name, &expand("audit_core", arguments, item));
}

#[test]
fn futures_that_are_returned() {
    expands_to(
        "returned_future",
        r#"action = "document.delete", target = "id""#,
        "fn delete(id: Uuid) -> impl Future<Output = Result<(), AppError>> + Send { let db = db(); async move { db.delete(id).await } }",
    );
    expands_to(
        "returned_box",
        r#"action = "document.delete", target(document = ok.id)"#,
        "fn delete(&self, mut id: Uuid) -> BoxFuture<'_, Result<Doc, AppError>> { Box::pin(async move { self.delete(id).await }) }",
    );
}

#[test]
fn async_trait() {
    expands_to(
        "async_trait",
        r#"action = "document.share", target(document = id), target(user = self.user()), metadata(role = "x")"#,
        "fn share<'life0, 'async_trait>(&'life0 self, __arg1: Path<Uuid>)
            -> ::core::pin::Pin<Box<dyn ::core::future::Future<Output = Result<(), AppError>> + ::core::marker::Send + 'async_trait>>
        where 'life0: 'async_trait, Self: 'async_trait {
            Box::pin(async move {
                if let ::core::option::Option::Some(__ret) = ::core::option::Option::None::<Result<(), AppError>> {
                    #[allow(unreachable_code)]
                    return __ret;
                }
                let __self = self;
                let Path(id) = { let __arg1 = __arg1; __arg1 };
                let __ret: Result<(), AppError> = { __self.db.share(id).await?; Ok(()) };
                #[allow(unreachable_code)]
                __ret
            })
        }",
    );
}

#[test]
fn arguments_that_are_not_used() {
    expands_to(
        "arguments_that_are_not_used",
        r#"action = "document.delete", target = "id""#,
        "async fn delete(self, id: Uuid, _lock: MutexGuard<'_, ()>) { }",
    );
}

#[test]
fn async_fn() {
    expands_to(
        "async_fn",
        r#"action = "document.share", target(document = doc_id), target(user = body.user_id),
           metadata(role = body.role, pages = body.pages + 1, notify = body.notify)"#,
        "/// Shares.
        #[must_use]
        pub async fn share(Path(doc_id): Path<Uuid>, Json(body): Json<Share>) -> Result<Json<Doc>, AppError> {
            let doc = db.share(doc_id, body).await?;
            Ok(Json(doc))
        }",
    );
}

#[test]
fn sync_method() {
    expands_to(
        "sync_method",
        r#"action = "document.delete", target = "self.id", actor = user, organization = org.id"#,
        "fn delete<'a>(&'a mut self, user: &User, org: Org) -> &'a mut Self { self.deleted = true; self }",
    );
}

#[test]
fn impl_trait_and_inner_attributes() {
    expands_to(
        "impl_trait_and_inner_attributes",
        r#"action = "document.delete", target = "id""#,
        "async fn f(id: Uuid) -> Result<impl IntoResponse, AppError> { #![allow(unused)] Ok(id) }",
    );
}

#[test]
fn values_of_the_result() {
    expands_to(
        "values_of_the_result",
        r#"action = "document.share", target(document = ok.id), target(user = user), metadata(role = "x", pages = ok.pages)"#,
        "async fn create(user: u64) -> Result<Doc, AppError> { Ok(insert(user).await?) }",
    );
}

#[test]
fn everything() {
    expands_to(
        "everything",
        r#"action = "document.share", target(document = id, name = display(title), metadata(size = len)), target(user in also),
           metadata(role = "x"), on = [succeeded, denied], error = display, event = ev, outcome = self::how"#,
        "async fn share(id: u64, title: Title, len: usize, also: Vec<u64>) -> Result<(), AppError> { ev.deny(\"no\"); Ok(()) }",
    );
}

#[test]
fn durable() {
    let arguments = r#"action = "document.delete", target = "id", durable"#;
    expands_to(
        "durable_async",
        arguments,
        "async fn delete(id: u64) -> Result<(), AppError> { db.delete(id).await }",
    );
    expands_to(
        "durable_sync",
        arguments,
        "fn delete(id: u64) { db.delete(id); }",
    );
    expands_to(
        "durable_returned_future",
        arguments,
        "fn delete(id: u64) -> impl Future<Output = ()> { db.delete(id) }",
    );
}

#[test]
fn never() {
    expands_to(
        "never",
        r#"action = "document.delete", target = "id""#,
        "async fn run(id: u8) -> ! { loop { step(id).await } }",
    );
}

#[test]
fn unit_with_cfg_and_display() {
    expands_to(
        "unit_with_cfg_and_display",
        r#"action = "document.share", target(document = url), metadata(role = display(url.role()))"#,
        "fn f(url: Url) { }",
    );
    expands_to(
        "cfg",
        r#"action = "document.delete", target = "id""#,
        "fn f(#[cfg(feature = \"a\")] id: u8, #[cfg(not(feature = \"a\"))] id: u16) {}",
    );
}

#[test]
fn paths_start_at_the_facade_or_the_renamed_crate() {
    let item = "fn f(id: u8) {}";
    let arguments = r#"action = "document.delete", target = "id""#;
    let tower = expand("audit_tower", arguments, item);
    assert!(
        tower.contains(":: audit_tower :: private") && !tower.contains("audit_core"),
        "{tower}"
    );
    let renamed = expand(
        "audit_core",
        &format!("{arguments}, crate = my::audit"),
        item,
    );
    assert!(
        renamed.contains("my :: audit :: private :: open") && !renamed.contains("audit_core"),
        "{renamed}"
    );
}

#[test]
fn a_mistake_returns_the_item_unchanged() {
    let item = "#[a] pub async fn f < T > (id : T) -> R where T : X { unfinished . } ";
    let tokens = expand(
        "audit_core",
        r#"action = "document.delete", target = "idd""#,
        item,
    );
    let item: proc_macro2::TokenStream = item.parse().unwrap();
    assert!(tokens.starts_with(":: core :: compile_error"), "{tokens}");
    assert!(tokens.ends_with(&item.to_string()), "{tokens}");
}

#[test]
fn an_unfinished_body_is_unchanged() {
    let tokens = expand(
        "audit_core",
        r#"action = "document.delete", target = "id""#,
        "async fn f(id: u8) -> u8 { let x = id. }",
    );
    assert!(tokens.contains("{ let x = id . }"), "{tokens}");
}
