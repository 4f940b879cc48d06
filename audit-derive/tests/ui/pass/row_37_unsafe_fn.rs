//! The body of an unsafe function stays unsafe; the expansion contains no `unsafe`.

#![deny(warnings, unsafe_op_in_unsafe_fn)]

use audit_derive::audited;

/// # Safety
/// `id` points to a number.
#[audited(action = "document.delete", target(document = 1))]
unsafe fn read(id: *const u64) -> u64 {
    // SAFETY: the caller promises it.
    unsafe { *id }
}

mod safe {
    #![forbid(unsafe_code)]

    #[audit_derive::audited(action = "document.delete", target = "id")]
    pub fn delete(id: u64) -> u64 {
        id
    }
}

fn main() {
    let id = 7;
    // SAFETY: it is a reference.
    assert_eq!(unsafe { read(&raw const id) }, 7);
    assert_eq!(safe::delete(7), 7);
}
