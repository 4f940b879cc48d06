//! A chain of 24 audited functions is still `Send` at the compiler's default recursion limit. Each audited function costs the
//! proof two layers, itself and its inner block; a third would end it at 15.

use audit_derive::audited;

#[audited(action = "document.delete", target = "id")]
async fn f0(id: u64) -> Result<u64, String> {
    std::future::ready(()).await;
    Ok(id)
}

macro_rules! chain {
    ($($name:ident $next:ident;)*) => {$(
        #[audited(action = "document.delete", target = "id")]
        async fn $name(id: u64) -> Result<u64, String> {
            $next(id).await
        }
    )*};
}

chain! {
    f1 f0;
    f2 f1;
    f3 f2;
    f4 f3;
    f5 f4;
    f6 f5;
    f7 f6;
    f8 f7;
    f9 f8;
    f10 f9;
    f11 f10;
    f12 f11;
    f13 f12;
    f14 f13;
    f15 f14;
    f16 f15;
    f17 f16;
    f18 f17;
    f19 f18;
    f20 f19;
    f21 f20;
    f22 f21;
    f23 f22;
}

fn is_send(_: impl Send) {}

fn main() {
    is_send(f23(1));
}
