//! Looks at one thing just after a write. AWS's listings lag behind its answers: what is not seen may be there all the
//! same.

use std::time::Duration;

use crate::model::inventory::Looked;
use crate::model::provider_error::ErrorKind;
use crate::provider::Provider;

/// Pauses before each look, in seconds; two and a half minutes in all, for so long may listings lag behind.
const LOOKS: [u64; 9] = [0, 1, 2, 4, 8, 15, 30, 30, 60];

/// What is to be seen, once it can be; none if it cannot after a bounded time. A look that fails for the moment is taken
/// again: AWS has spoken of the thing, and all that is missing is to see it.
pub(super) async fn until_seen<T>(
    provider: &dyn Provider,
    look: impl AsyncFn() -> Looked<Option<T>>,
) -> Looked<Option<T>> {
    let mut last = Ok(None);
    for seconds in LOOKS {
        provider.pause(Duration::from_secs(seconds)).await;
        last = look().await;
        match &last {
            Ok(Some(_)) => return last,
            Err(error) if !matches!(error.kind, ErrorKind::Throttled | ErrorKind::Unknown) => {
                return last;
            }
            Ok(None) | Err(_) => {}
        }
    }
    last
}
