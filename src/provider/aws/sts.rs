//! The calls to STS.

use crate::model::ids::AccountId;
use crate::model::inventory::{Answer, CallerIdentity};

use super::clients::Clients;
use super::error::Call;

/// Returns the account of the credentials. This needs no permission.
pub(super) async fn caller_identity(clients: &Clients) -> Answer<CallerIdentity> {
    let call = Call::new("GetCallerIdentity", &clients.at);
    let answer = clients.sts.get_caller_identity().send().await;
    let answer = answer.map_err(|error| call.failed(&error))?;
    let account = answer.account();
    Ok(CallerIdentity {
        account_id: AccountId::from(account.ok_or_else(|| call.unreadable("no account"))?),
        endpoint_url: clients.endpoint_url.clone(),
    })
}
