//! Where a call goes.

use std::sync::Arc;

use super::client_config::ClientConfig;
use super::ids::Region;

/// Where a call goes: credentials and region.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Location {
    /// The credentials, and how AWS is reached.
    pub credentials: Arc<ClientConfig>,
    /// The region that the call goes to.
    pub region: Region,
}
