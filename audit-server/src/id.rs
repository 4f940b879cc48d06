//! Ids in the service's format.

use crate::timestamp::Timestamp;

/// Returns a new id: a prefix and 26 characters of Crockford's base 32, the time first.
///
/// Ids sort by age, as the service's do. They are guessable, so nothing may rely on an id being
/// secret.
pub(crate) fn new_id(prefix: &str, now: Timestamp) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    let bits = (u128::from(now.as_millis().unsigned_abs()) << 80) | (fastrand::u128(..) >> 48);
    let digits = (0..26).rev().map(|digit| {
        char::from(ALPHABET[usize::try_from((bits >> (5 * digit)) & 31).unwrap_or(0)])
    });
    prefix.chars().chain(digits).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::records::is_organization_id;

    #[test]
    fn new_id_is_valid_and_sorts_by_age() {
        let id = |millis| new_id("org_", Timestamp::from_millis(millis));
        let (older, newer) = (id(1_770_050_139_317), id(1_770_050_139_318));
        assert!(is_organization_id(&older) && older.len() == 30, "{older}");
        assert!(older < newer);
        assert_ne!(older, id(1_770_050_139_317));
    }
}
