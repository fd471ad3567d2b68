//! Who is calling.

use crate::model::client_config::Place;
use crate::model::id::AccountId;
use crate::model::inventory::{CallerIdentity, Looked};

use super::clients::Clients;
use super::error::{failed, unreadable};

/// The account of the credentials. Needs no permission.
pub(super) async fn caller_identity(clients: &Clients, at: &Place) -> Looked<CallerIdentity> {
    const CALL: &str = "GetCallerIdentity";
    let answer = clients
        .sts
        .get_caller_identity()
        .send()
        .await
        .map_err(|error| failed(CALL, at, &error))?;
    let account = answer
        .account()
        .ok_or_else(|| unreadable(CALL, at, "no account"))?;
    Ok(CallerIdentity {
        account_id: AccountId::from(account),
        endpoint_url: clients.endpoint_url.clone(),
    })
}
