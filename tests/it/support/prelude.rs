//! The types of xrs that most tests name.

pub use aws_xregion_sync::executor::{Event, Wait};
pub use aws_xregion_sync::model::action::{Action, ActionName, Delete, KnownCopy};
pub use aws_xregion_sync::model::artifact::{Artifact, ArtifactRef, ArtifactState};
pub use aws_xregion_sync::model::client_config::{ClientConfig, Secret};
pub use aws_xregion_sync::model::ids::{AccountId, Arn, ArtifactId, JobName, ParentId, Region};
pub use aws_xregion_sync::model::inventory::{Answer, ProviderKind};
pub use aws_xregion_sync::model::json::document;
pub use aws_xregion_sync::model::kind::{Kind, SyncTypeName};
pub use aws_xregion_sync::model::location::Location;
pub use aws_xregion_sync::model::plan::{ConfigRef, JobPlan, Outcome, Plan, SavedPlan};
pub use aws_xregion_sync::model::problem::{AwsFailure, Problem, TextPlace};
pub use aws_xregion_sync::model::provider_error::{ErrorClass, ProviderError};
pub use aws_xregion_sync::model::query::{ImageFilter, ImageSelector, Query};
pub use aws_xregion_sync::model::report::Level;
pub use aws_xregion_sync::model::result::{ActionOutcome, ActionResult, SavedResults, SyncResult};
pub use aws_xregion_sync::model::status::{JobStatus, Readiness};
pub use aws_xregion_sync::model::tags::Tags;
pub use aws_xregion_sync::observe::{Request, observe};
pub use aws_xregion_sync::provider::Provider;
pub use aws_xregion_sync::provider::sandbox::{
    FailNextCopy, Fault, Sandbox, SnapshotType, World, WorldArtifact, WorldDatabase, arn_of,
};
pub use aws_xregion_sync::sync_types::{
    AmiOptions, DbClusterSnapshotOptions, DbSnapshotOptions, SyncJob, SyncTypeRules,
};
