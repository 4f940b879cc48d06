//! Hygiene: names of macros, of other scopes, and of the body.

use audit_derive::audited;

use crate::methods::{Store, store};
use crate::support::{all, leave};

macro_rules! made_by_macro {
    ($vis:vis fn $name:ident($id:ident: $type:ty) -> $output:ty $body:block) => {
        #[audited(action = "document.delete", target(document = $id))]
        $vis async fn $name($id: $type) -> $output $body

        impl Store {
            #[audited(action = "document.delete", target = "self.id")]
            $vis fn $name(&self, other: u64) -> u64 { self.items.len() as u64 + other }
        }

        #[audited(action = "document.delete", target = "other")]
        $vis fn made_inside(other: u64) -> u64 { other }
    };
}
made_by_macro!(
    pub(crate) fn made(id: u64) -> Result<u64, String> {
        Ok(id)
    }
);

macro_rules! mixed {
    ($this:ident, $name:ident, $body:expr) => {
        impl Store {
            #[audited(action = "document.delete", target(document = $this.id), target(document = hidden))]
            async fn $name(&$this, hidden: u64, mut $name: u64) -> u64 {
                $name += hidden;
                $body + $name
            }

            #[audited(action = "document.delete", target(document = $this.id))]
            fn returned(&$this, hidden: u64) -> impl Future<Output = u64> {
                let hidden = hidden + 1;
                async move { $body + hidden }
            }
        }
    };
}
mixed!(self, with_mixed_names, self.items.len() as u64);

fn outer() -> u64 {
    #[audited(action = "document.delete", target = "id")]
    fn inner(id: u64) -> u64 {
        #[audited(action = "document.delete", target = "id")]
        fn innermost(id: u64) -> u64 {
            id
        }
        innermost(id + 1)
    }
    inner(1)
}

trait InAConstant {
    fn in_a_constant(&self) -> Result<(), ()>;
}

const _: () = {
    #[audited(action = "document.delete", target = "id")]
    fn helper(id: u64) -> Result<(), ()> {
        if id == 0 { Ok(()) } else { Err(()) }
    }

    impl InAConstant for Store {
        #[audited(action = "document.delete", target = "self.id")]
        fn in_a_constant(&self) -> Result<(), ()> {
            helper(1)
        }
    }
};

mod shadows {
    #![allow(dead_code, unused_macros, clippy::upper_case_acronyms)]
    type Result<T> = ::core::result::Result<T, ()>;
    struct Option;
    struct String;
    struct Box;
    struct Future;
    struct Pin;
    struct Draft;
    struct CallSite;
    trait Fn {}
    trait FnOnce {}
    static SITE: u8 = 1;
    mod audit_core {}
    fn open() {}
    fn drop() {}
    macro_rules! include_bytes {
        () => {};
    }
    macro_rules! option_env {
        () => {};
    }
    #[allow(non_camel_case_types)]
    struct u8_;

    #[::audit_derive::audited(action = "document.delete", target = "id")]
    pub(crate) fn sync(id: u8) -> Result<u8> {
        ::core::result::Result::Ok(id + SITE)
    }

    #[::audit_derive::audited(action = "document.delete", target = "id")]
    pub(crate) fn returned(id: u8) -> impl ::core::future::Future<Output = Result<u8>> {
        async move {
            let _ = id;
            ::core::result::Result::Err(())
        }
    }

    #[::audit_derive::audited(action = "document.delete", target = "ok")]
    pub(crate) fn boxed(
        id: u8,
    ) -> ::core::pin::Pin<::std::boxed::Box<dyn ::core::future::Future<Output = Result<u8>>>> {
        ::std::boxed::Box::pin(async move { ::core::result::Result::Ok(id) })
    }
}

mod without_a_prelude {
    #![no_implicit_prelude]
    #![allow(dead_code)]
    mod core {}
    mod std {}
    mod alloc {}

    #[::audit_derive::audited(action = "document.delete", target = "id")]
    pub(crate) async fn deleted(id: u8) -> ::core::result::Result<u8, ()> {
        ::core::result::Result::Ok(id)
    }

    #[::audit_derive::audited(action = "document.delete", target = "ok")]
    pub(crate) fn late(id: u8, _held: ()) -> ::core::result::Result<u8, ()> {
        ::core::result::Result::Ok(id)
    }

    #[::audit_derive::audited(action = "document.delete", target = "id")]
    pub(crate) fn returned(id: u8) -> impl ::core::future::Future<Output = u8> {
        async move { id }
    }
}

#[derive(Debug)]
enum Names {
    Result,
    Vec,
    String,
}

#[audited(action = "document.delete", target = "id")]
fn imports_in_the_body(id: u64) -> Result<Vec<u64>, String> {
    use Names::{Result, String, Vec};
    let unit = [Result, Vec, String];
    Ok(std::vec![id, unit.len() as u64])
}

#[audited(action = "document.delete", target = "id")]
async fn imports_all_in_the_body(id: u64) -> Result<u64, String> {
    #[allow(clippy::enum_glob_use)]
    use Names::*;
    let unit = [Result, Vec, String];
    Ok(id + unit.len() as u64)
}

#[audited(action = "document.delete", target = "id")]
fn our_names(id: u64) -> u64 {
    let (draft, output, edge, site, e, x) = (1, 2, 3, 4, 5, 6);
    draft + output + edge + site + e + x + id
}

#[audited(action = "document.delete", target(document = ok), target(document = draft), target(document = output))]
async fn our_names_as_parameters(draft: u64, output: u64, edge: u64) -> Result<u64, u64> {
    let future = draft + output + edge;
    Ok(future)
}

#[audited(action = "document.delete", target(document = ok), target(document = future))]
fn our_names_and_a_future(
    draft: u64,
    output: u64,
    future: u64,
) -> impl Future<Output = Result<u64, u64>> {
    async move { Ok(draft + output + future) }
}

leave! {
    row_46_function_from_a_macro: made(5).await => "document.delete document:5 succeeded";
    row_46_method_from_a_macro: store().made(5) => "document.delete document:s succeeded";
    row_46_wholly_from_a_macro: made_inside(6) => "document.delete document:6 succeeded";
    row_46_mixed_names: store().with_mixed_names(7, 1).await => "document.delete document:s,document:7 succeeded";
    row_46_mixed_names_and_a_future: store().returned(7).await => "document.delete document:s succeeded";
    row_48_shadowed_names: shadows::sync(1) => "document.delete document:1 succeeded";
    row_48_shadowed_names_and_a_future: shadows::returned(1).await => "document.delete document:1 failed";
    row_48_shadowed_names_and_a_box: shadows::boxed(2).await => "document.delete document:2 succeeded";
    row_49_without_a_prelude: without_a_prelude::deleted(1).await => "document.delete document:1 succeeded";
    row_49_without_a_prelude_late: without_a_prelude::late(2, ()) => "document.delete document:2 succeeded";
    row_49_without_a_prelude_and_a_future: without_a_prelude::returned(3).await => "document.delete document:3 succeeded";
    row_50_imports_in_the_body: imports_in_the_body(1) => "document.delete document:1 succeeded";
    row_50_imports_all_in_the_body: imports_all_in_the_body(1).await => "document.delete document:1 succeeded";
    row_51_our_names: our_names(1) => "document.delete document:1 succeeded";
    row_51_our_names_as_parameters: our_names_as_parameters(1, 2, 3).await
        => "document.delete document:1,document:2,document:6 succeeded";
    row_51_our_names_and_a_future: our_names_and_a_future(1, 2, 3).await
        => "document.delete document:3,document:6 succeeded";
    trap_17_local_core_and_std: without_a_prelude::deleted(4).await => "document.delete document:4 succeeded";
}

#[tokio::test]
async fn row_47_functions_in_functions_leave_an_event_each() {
    let left = all(async {
        assert_eq!(outer(), 2);
        assert_eq!(store().in_a_constant(), Err(()));
    });
    assert_eq!(
        left.await,
        [
            "document.delete document:2 succeeded",
            "document.delete document:1 succeeded",
            "document.delete document:1 failed",
            "document.delete document:s failed"
        ]
    );
}
