use audit_derive::unaudited;

#[unaudited]
fn without_a_reason() {}

#[unaudited(reason = "", crat = audit_core)]
fn empty_and_unknown() {}

#[unaudited(reasn = "reads only")]
fn misspelt() {}

#[unaudited(reason = REASON, crate = audit_core, crate = audit_core)]
fn not_a_literal_and_twice() {}

#[unaudited("reads only")]
fn without_a_name() {}

#[unaudited(reason = "reads only")]
struct NoFunction;

#[unaudited(reason = "reads only")]
const fn constant() {}

trait Search {
    #[unaudited(reason = "reads only")]
    fn search(&self);
}

fn main() {
    without_a_reason();
    empty_and_unknown();
    misspelt();
    not_a_literal_and_twice();
    without_a_name();
    drop(NoFunction);
    constant();
}
