//! Law 8: no secret is in a plan, a result, a log line, an error or Debug output.
//!
//! More tests are in `config/screens.rs` (problems with their lines), `cli.rs` and `moto/program.rs` (everything that the program
//! prints and saves), `moto/failures.rs` (errors of the SDK), and next to the code in `provider/aws`.

use std::sync::Arc;

use aws_xregion_sync::planfile;

use crate::support::*;

#[test]
fn law_8_no_secret_in_plans_results_or_debug_output() {
    let (sandbox, mut jobs) = both_types();
    let secrets = [
        "AKIDEXAMPLE12345",
        "wJalrXUtnFEMIK7MDENG",
        "FwoGZXIvYXdzEJr",
    ];
    let config = Arc::new(ClientConfig {
        access_key: Some(Secret::new(secrets[0])),
        secret_key: Some(Secret::new(secrets[1])),
        session_token: Some(Secret::new(secrets[2])),
        ..ClientConfig::default()
    });
    for job in &mut jobs {
        job.client_config = Arc::clone(&config);
    }
    let denied = Fault::new("CopyImage", "AccessDenied", "no", None);
    sandbox.edit(|world| world.faults.push(denied));
    let planned = plan(&sandbox, &jobs);
    let results = apply(&sandbox, &planned, &jobs);
    let shown = [
        planfile::to_text(&planned).expect("the plan as JSON"),
        serde_json::to_string(&results).expect("results as JSON"),
        format!("{planned:?}{results:?}{jobs:?}{:?}", jobs[0].source()),
        serde_json::to_string(&*config).expect("the settings as JSON"),
        sandbox.world().to_json(),
    ];
    for secret in secrets {
        let is_shown = shown.iter().any(|text| text.contains(secret));
        assert!(!is_shown, "{secret} is shown");
    }
}
