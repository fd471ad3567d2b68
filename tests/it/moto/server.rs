//! The server: moto with the patches and controls of `tests/moto`, in a virtual environment of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use crate::python;

/// The server of this test process. It ends when its standard input does, and so with the process, however that ends.
static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

struct Server {
    port: u16,
    _process: Child,
}

impl Server {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto");
        let mut process = Command::new(python::with(&folder.join("requirements.txt")))
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
