//! How long it takes until a program does anything at all.

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
    // In turn, so that a machine that is busy for a while is so for all.
    let mut taken = [const { Vec::new() }; 3];
    for round in 0..=REPEATS {
        for ((_, command), taken) in commands.iter_mut().zip(&mut taken) {
            let (output, time) = timed(command);
            assert!(output.status.success(), "{command:?}: {output:?}");
            // The first one also brings the files into memory.
            if round > 0 {
                taken.push(time);
            }
        }
    }
    let taken = taken.map(median);
    let rows: Vec<_> = commands
        .iter()
        .zip(taken)
        .map(|((name, _), time)| [(*name).to_owned(), seconds(time), times(taken[2] / time)])
        .collect();
    table::print(
        "Start-up",
        ["program", "time", "a boto3 client's, to it"],
        &rows,
    );
    vec![Goal {
        what: "start-up of `xrs validate` against a boto3 client's",
        today: seconds(taken[2]),
        xrs: Ok(taken[2] / taken[1]),
        unit: Unit::TimesFaster,
        must: 10.0,
        aim: 30.0,
    }]
}
