//! Lists that AWS answers page by page.

use std::collections::HashSet;
use std::error::Error;

use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};

use crate::model::inventory::Answer;

use super::error::Call;

/// Snapshots per page: the most that RDS allows.
pub(super) const RDS_PAGE: i32 = 100;

/// The most pages of one read: far more than any account has, so that a list without an end has one.
const MOST_PAGES: usize = 10_000;

/// Returns all pages of a list, which `read` reads by their tokens and which name the `next` one.
pub(super) async fn all_pages<P, E, F>(
    call: Call<'_>,
    read: impl Fn(Option<String>) -> F,
    next: impl Fn(&P) -> Option<&str>,
) -> Answer<Vec<P>>
where
    E: Error + ProvideErrorMetadata + 'static,
    F: Future<Output = Result<P, SdkError<E, HttpResponse>>>,
{
    let (mut pages, mut tokens) = (Vec::new(), HashSet::new());
    let mut token = None;
    loop {
        let page = read(token).await.map_err(|error| call.failed(&error))?;
        token = next(&page)
            .filter(|token| !token.is_empty())
            .map(str::to_owned);
        pages.push(page);
        let Some(token) = &token else {
            return Ok(pages);
        };
        if !tokens.insert(token.clone()) {
            return Err(call.unreadable("a page names an earlier one as the next"));
        }
        if pages.len() >= MOST_PAGES {
            return Err(call.unreadable(&format!("it has more than {MOST_PAGES} pages")));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::ready;

    use aws_sdk_sts::error::ErrorMetadata;
    use futures::FutureExt;

    use crate::model::ids::Region;
    use crate::model::location::Location;
    use crate::model::provider_error::ErrorClass;

    use super::*;

    /// Reads a list of pages with these numbers, each of which names the next one, and returns how many were read.
    fn read(numbers: impl Fn(usize) -> usize) -> (Answer<usize>, usize) {
        let at = Location {
            credentials: Default::default(),
            region: Region::from("us-west-1"),
        };
        let count = Cell::new(0);
        let page = |_| {
            count.set(count.get() + 1);
            ready(Ok::<_, SdkError<ErrorMetadata, HttpResponse>>(
                numbers(count.get()).to_string(),
            ))
        };
        let call = Call::new("DescribeImages", &at);
        let pages = all_pages(call, page, |page| {
            Some(page.as_str()).filter(|page| *page != "0")
        });
        let pages = pages.now_or_never().expect("no waiting");
        (pages.map(|pages| pages.len()), count.get())
    }

    #[test]
    fn law_6_a_list_that_does_not_end_is_an_error() {
        let (answer, count) = read(|page| if page < MOST_PAGES { page } else { 0 });
        assert_eq!((answer, count), (Ok(MOST_PAGES), MOST_PAGES));
        for (numbers, read_pages, what) in [
            (
                (|page| page) as fn(usize) -> usize,
                MOST_PAGES,
                "more than 10000 pages",
            ),
            (|page| page.min(3), 4, "names an earlier one"),
            (|page| page % 5 + 1, 6, "names an earlier one"),
        ] {
            let (answer, count) = read(numbers);
            let error = answer.expect_err("no end");
            assert_eq!((error.class, count), (ErrorClass::Unknown, read_pages));
            assert!(error.to_string().contains(what), "{error}");
            assert!(
                error
                    .to_string()
                    .starts_with("DescribeImages in us-west-1: ")
            );
        }
    }
}
