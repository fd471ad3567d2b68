//! How long programs take to start.

use std::path::Path;
use std::process::Command;

use crate::reach::{Goal, Unit};
use crate::table::{self, seconds, times};
use crate::timing::{median, timed};
use crate::tool::python;

const REPEATS: usize = 15;

pub(crate) fn measure() -> Vec<Goal> {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/config/seed.yaml");
    let xrs = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_xrs"));
        command.env_clear().args(arguments);
        command
    };
    let mut validate = xrs(&["validate"]);
    validate.arg(config);
    let client = "import boto3; boto3.client('ec2', region_name='us-east-1')";
    let mut commands = [
        ("xrs --version", xrs(&["--version"])),
        ("xrs validate", validate),
        ("a boto3 client", python(&["-c", client])),
    ];
    eprintln!("start-up");
    // In turn, so that other work of the machine affects all of them.
    let mut all_times = [const { Vec::new() }; 3];
    for round in 0..=REPEATS {
        for ((_, command), times) in commands.iter_mut().zip(&mut all_times) {
            let (output, time) = timed(command);
            assert!(output.status.success(), "{command:?}: {output:?}");
            // The first round also reads the files into memory.
            if round > 0 {
                times.push(time);
            }
        }
    }
    let medians = all_times.map(median);
    let rows: Vec<_> = commands
        .iter()
        .zip(medians)
        .map(|((name, _), time)| [(*name).to_owned(), seconds(time), times(medians[2] / time)])
        .collect();
    table::print(
        "Start-up",
        ["program", "time", "a boto3 client vs. this"],
        &rows,
    );
    vec![Goal {
        what: "start-up of `xrs validate` compared with a boto3 client",
        today: seconds(medians[2]),
        xrs: Ok(medians[2] / medians[1]),
        unit: Unit::TimesFaster,
        must: 10.0,
        aim: 30.0,
    }]
}
