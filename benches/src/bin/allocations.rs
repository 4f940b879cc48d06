//! Prints the allocations of each contender per event, on the caller's thread: name, tab, number.
//!
//! It is a program of its own, since an allocator that counts slows down the other measurements.
#![expect(clippy::print_stdout, reason = "a program for the terminal")]

fn main() -> audit_benches::Result<()> {
    let count = |made: &mut dyn FnMut()| allocation_counter::measure(made).count_total;
    for (label, allocations) in audit_benches::record::allocations(count)? {
        println!("{label}\t{allocations:.2}");
    }
    Ok(())
}
