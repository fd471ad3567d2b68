//! Small crates that keep or break the rules.

use super::{ASYNC, Files, KINDS, MAX_LINES, findings};

/// A crate that follows all rules: files, with `;;` between them.
const CRATE: &str = r"main.rs: ;; model/mod.rs: mod kind; ;; model/kind.rs: ;; render/mod.rs: ;; ops/mod.rs: ;; provider/mod.rs: mod aws; ;; provider/aws/mod.rs: ;; lib.rs:
//! | `model` | |
//! | `render` | `model` |
//! | `provider` | `model` |
//! | `provider::aws` | `model` `provider` |
//! | `ops` | `model` `provider` `provider::aws` |
//! | `main` | `ops` |
//! | `ops` `render` |
mod model; mod render; mod provider; mod ops;";

/// Files that are added to the crate or replaced in it, with the expected findings after `//~`.
const EXAMPLES: &str = r#"
render/mod.rs: use crate::model::plan; use super::render::Styles; use std::fmt; fn f() { crate::model::x(); }
render/mod.rs: use crate::model::kind::{self, Kind as K}; fn f() { K::ALL.len(); kind::Kind::facts(); }
render/mod.rs: #![doc = "an `ec2_ami` job"] #[doc = "a db_snapshot"] struct S;
model/kind.rs: #[cfg(test)] mod t { use crate::ops::f; async fn g() {} } #[test] fn h() { crate::ops::f() }
model/kind.rs: fn f(aws_key: &str) -> impl Fn() + use<'_> { g(aws_key); a != b } pub(crate) mod a {}
provider/aws/mod.rs: use aws_sdk_ec2::Client; async fn f() { Timestamp::now(); super::f(crate::model::kind::Kind::Image).await }
main.rs: use std::env; fn main() { println!("{}", env::var("X")); aws_xregion_sync::ops::f() }
model/kind.rs: use super::super::{ops as o, model::*}; //~ model may not use ops
model/kind.rs: mod a { use super::super::super::ops; } //~ model may not use ops
render/mod.rs: \nfn f() { write!(f, "{}", crate::ops::g::<u8>()) } //~ src/render/mod.rs:2: render may not use ops
render/mod.rs: use super::*; //~ render may not use crate::*
main.rs: use aws_xregion_sync::model; //~ main may not use model
provider/mod.rs: mod aws; use aws::Aws; //~ provider may not use provider::aws
ops/mod.rs: \nfn f(c: &aws_sdk_ec2::Client) {} //~ src/ops/mod.rs:2: aws_sdk_ec2::Client belongs in provider::aws
ops/mod.rs: use std::{env, fmt}; //~ std::env belongs in cli, main
ops/mod.rs: use std::process; fn f() { process::exit(1) } //~ std::process::exit belongs in cli, main
ops/mod.rs: fn f() { matches!(eprintln!("x"), ()) } //~ eprintln! belongs in cli, main
ops/mod.rs: use std::io::{self as i}; fn f() { i::stdout(); } //~ std::io::stdout belongs in cli, main
ops/mod.rs: use std::fs::File; //~ std::fs::File belongs in files
render/mod.rs: fn f() { g(async { 1 }) } //~ async belongs in ASYNC
render/mod.rs: use tokio::time; //~ tokio::time belongs in ASYNC
ops/mod.rs: use jiff as j; fn f() { j::Timestamp::now(); } //~ jiff::Timestamp::now belongs in provider
ops/mod.rs: use crate::model::kind::Kind; fn f() { Kind::Image; } //~ crate::model::kind::Kind::Image belongs in KINDS
ops/mod.rs: use crate::model::kind::SyncTypeName::*; //~ crate::model::kind::SyncTypeName::* belongs in KINDS
ops/mod.rs: #[serde(rename = "ec2_ami")] struct S; //~ "ec2_ami" belongs in KINDS
ops/mod.rs: mod a; mod b; pub use a::A; pub use b::B; ;; ops/a.rs: use super::B; fn f() { super::b::f() } ;; ops/b.rs:
ops/mod.rs: mod a; use a::A; struct S; ;; ops/a.rs: \nuse super::S; //~ circle: src/ops/a.rs:2 → src/ops/mod.rs:1 → src/ops/a.rs
ops/mod.rs: mod a; mod b; use self::b as c; ;; ops/a.rs: fn f() { super::c::f() } ;; ops/b.rs: use super::a; //~ a.rs:1 → src/ops/b.rs:1 → src/ops/a.rs
ops/mod.rs: mod plan; ;; ops/plan.rs: ;; render/mod.rs: mod plan; ;; render/plan.rs:
ops/mod.rs: mod kind; ;; ops/kind.rs: //~ kind.rs is in {"model", "ops"}, which don't mirror each other
ops/mod.rs: LONG //~ src/ops/mod.rs: 401 lines, more than 400
ops/kind.rs: //~ crate::ops::kind is declared by no module
lib.rs: //! | `model` | `ghost` | //~ ghost in the table is no module
lib.rs: //! | `model` | | //~ crate::ops has no row in the table
"#;

#[test]
fn examples_give_the_findings_that_they_state() {
    for example in EXAMPLES.trim().lines() {
        let (changes, expected) = example.split_once(" //~ ").unwrap_or((example, ""));
        let mut files = Files::new();
        for file in CRATE.split(" ;; ").chain(changes.split(" ;; ")) {
            let (path, text) = file.split_once(':').expect("a path and a text");
            let text = text.replace("LONG", &"\n".repeat(MAX_LINES + 1));
            let text = text.trim_start_matches(' ').replace("\\n", "\n");
            files.insert(format!("src/{path}"), text);
        }
        let found = findings(&files);
        let expected = expected.replace("ASYNC", ASYNC).replace("KINDS", KINDS);
        let is_found = found.iter().any(|finding| finding.contains(&expected));
        assert_eq!(is_found, !expected.is_empty(), "{example}\n{found:#?}");
    }
}
