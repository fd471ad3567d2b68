//! The view of a world that an account has in a region.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::calls::{Fault, Refusal, Reply};
use super::contents::WorldArtifact;
use super::world::{World, WorldRegion};
use crate::model::artifact::Artifact;
use crate::model::ids::{AccountId, Region};
use crate::model::kind::Kind;
use crate::model::provider_error_help::permission;

/// The view of a world that an account has in a region.
pub(super) struct Access<'a> {
    pub(super) world: &'a mut World,
    pub(super) account: AccountId,
    pub(super) region: &'a Region,
}

impl Access<'_> {
    /// Refuses a call if its region does not exist or is not enabled, if the credentials have expired, or if a fault is planned.
    pub(super) fn admit(&mut self, call: &str) -> Reply<()> {
        let Some(is_enabled) = self.world.region(self.region).map(|here| here.enabled) else {
            let message = format!("could not connect to the endpoint of {}", self.region);
            return Err(Refusal::new("DispatchFailure", message));
        };
        if let Some(fault) = self.use_fault(call) {
            return Err(Refusal::new(&fault.code, fault.message));
        }
        let is_expired = self.world.expired_credentials.contains(&self.account);
        // EC2 has different error codes from RDS and STS for the same refusals.
        let is_ec2 = || permission(call).starts_with("ec2:");
        let (code, message) = match (is_expired, is_enabled) {
            (false, true) => return Ok(()),
            (true, _) if is_ec2() => ("RequestExpired", "Request has expired."),
            (true, _) => (
                "ExpiredToken",
                "The security token included in the request is expired",
            ),
            (false, _) if is_ec2() => (
                "AuthFailure",
                "AWS was not able to validate the provided access credentials",
            ),
            (false, _) => (
                "OptInRequired",
                "The AWS Access Key Id needs a subscription for the service",
            ),
        };
        Err(Refusal::new(code, message))
    }

    /// Takes the first fault that is planned for a call.
    pub(super) fn use_fault(&mut self, call: &str) -> Option<Fault> {
        let region = self.region;
        let is_due = |fault: &&mut Fault| {
            let is_region = fault.region.as_ref().is_none_or(|only| only == region);
            fault.call == call && is_region && fault.times != Some(0)
        };
        let fault = self.world.faults.iter_mut().find(is_due)?;
        fault.times = fault.times.map(|times| times - 1);
        let used = fault.clone();
        self.world.faults.retain(|fault| fault.times != Some(0));
        Some(used)
    }

    /// Returns artifacts as the account sees them, in an order that depends only on their ids and the world's seed.
    pub(super) fn list(
        &self,
        kind: Kind,
        is_wanted: impl Fn(&WorldArtifact) -> bool,
    ) -> Vec<Artifact> {
        let artifacts = self.world.artifacts(self.region, kind).iter();
        let wanted = artifacts.filter(|artifact| is_wanted(artifact));
        let mut wanted: Vec<&WorldArtifact> = wanted.collect();
        wanted.sort_by_cached_key(|artifact| {
            let mut hasher = DefaultHasher::new();
            (self.world.listing_seed, &artifact.id).hash(&mut hasher);
            (hasher.finish(), &artifact.id)
        });
        let seen = wanted.into_iter();
        seen.map(|artifact| artifact.seen(kind, self.region, &self.account, self.world.now))
            .collect()
    }

    /// Returns the account's own artifacts.
    pub(super) fn own(&self, kind: Kind) -> impl Iterator<Item = &WorldArtifact> + Clone {
        let artifacts = self.world.artifacts(self.region, kind).iter();
        artifacts.filter(|artifact| artifact.account == self.account)
    }

    /// Returns the region of a source, if a copy from it can be requested here.
    pub(super) fn source_region(&self, source: &Region) -> Option<&WorldRegion> {
        let is_near = source.partition() == self.region.partition();
        let region = self.world.region(source).filter(|_| is_near);
        region.filter(|region| region.enabled)
    }
}
