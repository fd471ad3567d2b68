//! The server: moto with the patches and controls of `tests/moto`, in a virtual environment of its own.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use aws_xregion_sync::model::client_config::sha256;
use serde_json::Value;

/// What is installed. Another list makes another environment.
const REQUIREMENTS: &str = include_str!("../../moto/requirements.txt");

/// The server of this test process. It ends when its standard input does, and so with the process, however that ends.
static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

struct Server {
    port: u16,
    _process: Child,
}

impl Server {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto");
        let mut process = Command::new(python())
            // Nothing of the caller's AWS, moto or Python settings.
            .env_clear()
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(folder.join("server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the moto server starts");
        let mut line = String::new();
        let answers = process.stdout.take().expect("its standard output");
        BufReader::new(answers)
            .read_line(&mut line)
            .expect("the moto server says where it is");
        let said: Value =
            serde_json::from_str(&line).expect("the moto server came up; its own words are above");
        let port = said["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .expect("a port");
        Self {
            port,
            _process: process,
        }
    }
}

/// Where the server is.
pub(crate) fn endpoint() -> String {
    format!("http://127.0.0.1:{}", SERVER.port)
}

/// Has the server do something that is no call to AWS: see `tests/moto/server.py`.
pub(crate) fn control(what: &str, request: &Value) -> Value {
    let body = request.to_string();
    let mut stream = TcpStream::connect(("127.0.0.1", SERVER.port)).expect("the moto server is up");
    let head = format!(
        "POST /xrs/{what} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).expect("a request");
    stream.write_all(body.as_bytes()).expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    assert!(head.contains(" 200 "), "{what} {request}: {body}");
    serde_json::from_str(body).expect("JSON")
}

/// The Python of an environment with what `requirements.txt` lists, made at the first use.
///
/// It is made beside its place and then moved there, so that a half-made one is never used, and of several test
/// processes that make it at once one wins.
fn python() -> PathBuf {
    let hash: String = sha256(REQUIREMENTS.as_bytes())
        .trim_start_matches("sha256:")
        .chars()
        .take(16)
        .collect();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let place = target.join(format!("moto-{hash}"));
    let python = place.join("bin/python");
    if python.exists() {
        return python;
    }
    let found = Command::new("python3")
        .args(["-c", "import sys; sys.exit(sys.version_info < (3, 10))"])
        .status();
    assert!(
        found.is_ok_and(|status| status.success()),
        "the tests of provider/aws need `python3`, 3.10 or newer, for moto; without it: cargo test --no-default-features"
    );
    let making = target.join(format!("moto-{hash}.{}", std::process::id()));
    run(Command::new("python3").args(["-m", "venv"]).arg(&making));
    let pip = [
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
        "--requirement",
    ];
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto/requirements.txt");
    run(Command::new(making.join("bin/python")).args(pip).arg(list));
    if fs::rename(&making, &place).is_err() {
        assert!(
            python.exists(),
            "{} cannot be moved to {}",
            making.display(),
            place.display()
        );
        // Another process was quicker; what is left of ours is no harm.
        let _ = fs::remove_dir_all(&making);
    }
    python
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
