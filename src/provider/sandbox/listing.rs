//! The order in which things are listed: AWS promises none, so none is to be relied on.

/// Puts things into an order that depends on nothing but the seed and their ids.
pub(super) fn in_some_order<T>(seed: u64, mut things: Vec<T>, id: impl Fn(&T) -> &str) -> Vec<T> {
    things.sort_by_cached_key(|thing| (scatter(seed, id(thing)), id(thing).to_owned()));
    things
}

/// FNV-1a over the id, begun with the seed and mixed once more, so that neighbouring ids part.
pub(super) fn scatter(seed: u64, id: &str) -> u64 {
    const OFFSET: u64 = 0xcbf2_9ce4_8422_2325;
    const PRIME: u64 = 0x0100_0000_01b3;
    let start = OFFSET ^ seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let hash = id.bytes().fold(start, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(PRIME)
    });
    let mixed = (hash ^ (hash >> 31)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed ^ (mixed >> 29)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_the_order_and_the_order_of_arrival_does_not() {
        let ids = || (0..8).map(|n| format!("ami-{n}")).collect::<Vec<_>>();
        let listed = |seed, ids| in_some_order(seed, ids, |id: &String| id);
        let backwards = ids().into_iter().rev().collect();
        assert_eq!(listed(1, ids()), listed(1, backwards));
        assert_ne!(listed(1, ids()), listed(2, ids()));
    }
}
