//! Type parameters, lifetimes and qualifiers.

use std::fmt::Display;

use audit_derive::audited;

use crate::support::{is_send, leave};

#[audited(action = "document.delete", target(document = value.len()))]
async fn generic<T, const N: usize>(value: &[T; N], make: impl Fn(&str) -> T + Send) -> T
where
    T: Clone + Send + Sync,
    for<'a> &'a T: Send,
{
    let first: Option<T> = value.first().cloned();
    first.unwrap_or_else(|| make("x"))
}

#[audited(action = "document.delete", target(document = N))]
async fn unbounded<T, const N: usize>(values: [T; N]) -> Result<[T; N], T> {
    Ok(values)
}

#[audited(action = "document.delete", target(document = 1))]
fn higher_ranked<F>(function: F) -> Result<usize, String>
where
    F: for<'a> Fn(&'a str) -> Option<&'a str>,
{
    function("text").map(str::len).ok_or_else(String::new)
}

#[audited(action = "document.delete", target(document = id.to_string()))]
async fn takes_objects(
    id: &(dyn Display + Sync),
    call: &(dyn Fn(&str) -> u8 + Sync),
    bytes: impl AsRef<[u8]> + Send,
) -> usize {
    id.to_string().len() + usize::from(call("x")) + bytes.as_ref().len()
}

#[audited(action = "document.delete", target = "first")]
fn named<'a, 'b: 'a>(first: &'a str, second: &'b str) -> (&'a str, &'b str) {
    (first, second)
}

#[audited(action = "document.delete", target = "text")]
async fn elided(text: &str, _other: &'static str) -> Option<&'static str> {
    (text == "static").then_some("static")
}

#[audited(action = "document.delete", target(document = items.len()))]
fn precise<'a, T: Copy>(items: &'a [T], _unused: &str) -> impl Iterator<Item = T> + use<'a, T> {
    items.iter().copied()
}

#[audited(action = "document.delete", target = "id")]
extern "C" fn foreign(id: u64) -> u64 {
    id
}

mod inner {
    pub(crate) mod innermost {
        use audit_derive::audited;

        #[audited(action = "document.delete", target = "id")]
        pub(in crate::generics) async fn visible(id: u64) -> u64 {
            id
        }
    }
}

leave! {
    row_33_generics: is_send(generic(&[1, 2], |_| 1)).await => "document.delete document:2 succeeded";
    row_33_without_bounds: unbounded([(); 3]).await => "document.delete document:3 succeeded";
    row_33_higher_ranked: higher_ranked(|text| text.get(1..)) => "document.delete document:1 succeeded";
    row_34_objects_and_impl: is_send(takes_objects(&7, &|_| 1, "bytes")).await => "document.delete document:7 succeeded";
    row_35_named_lifetimes: named("a", "b") => "document.delete document:a succeeded";
    row_35_elided_lifetimes: is_send(elided("e", "")).await => "document.delete document:e succeeded";
    row_35_precise_capture: precise(&[1, 2], "").collect::<Vec<u8>>() => "document.delete document:2 succeeded";
    row_37_other_abi: foreign(1) => "document.delete document:1 succeeded";
    row_37_visibility: inner::innermost::visible(2).await => "document.delete document:2 succeeded";
}
