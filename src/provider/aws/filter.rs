//! What the filters of EC2 and RDS ask for: limits, wildcards, lists without repeats.

use std::collections::BTreeSet;

/// Values that all filters of one EC2 request may have together; EC2 answers `FilterLimitExceeded` to more.
/// See <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>.
pub(super) const EC2_VALUES: usize = 200;

/// Values of one filter of an RDS request. No limit is documented, so this is a cautious one, and a list that
/// RDS refuses is split.
pub(super) const RDS_VALUES: usize = 20;

/// The value that matches this text alone: EC2 takes `*` and `?` for wildcards and `\` for their escape.
pub(super) fn literally(text: &str) -> String {
    let mut value = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '*' | '?' | '\\') {
            value.push('\\');
        }
        value.push(character);
    }
    value
}

/// The list in order, each once, so that requests do not depend on who asked first.
pub(super) fn distinct<T: Ord + Clone>(list: &[T]) -> Vec<T> {
    list.iter()
        .cloned()
        .collect::<BTreeSet<T>>()
        .into_iter()
        .collect()
}

/// The list cut into requests; at least one of them, for an empty list may still be a question.
pub(super) fn batches<T: Clone>(list: &[T], size: usize) -> Vec<Vec<T>> {
    if list.is_empty() {
        return vec![Vec::new()];
    }
    list.chunks(size.max(1)).map(<[T]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wildcards_lose_their_power() {
        assert_eq!(literally(r"a*b?c\d"), r"a\*b\?c\\d");
        assert_eq!(literally("ami-0123"), "ami-0123");
    }

    #[test]
    fn lists_are_cut_and_said_once() {
        assert_eq!(distinct(&[3, 1, 3, 2]), [1, 2, 3]);
        assert_eq!(batches(&[1, 2, 3], 2), [vec![1, 2], vec![3]]);
        assert_eq!(batches::<u8>(&[], 2), [Vec::<u8>::new()]);
    }
}
