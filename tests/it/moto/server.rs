//! The server: moto with the patches and controls of `tests/moto`, in a virtual environment of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;

use serde_json::Value;

use crate::python;

/// The server of this test process. It ends when its standard input is closed, so it ends with the process.
static SERVER: LazyLock<Server> = LazyLock::new(Server::start);

struct Server {
    port: u64,
    _process: Child,
}

impl Server {
    fn start() -> Self {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/moto");
        let mut process = Command::new(python::with(&folder.join("requirements.txt")))
            // None of the caller's settings for AWS, moto or Python.
            .env_clear()
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(folder.join("server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the moto server starts");
        let stdout = process.stdout.take().expect("its standard output");
        let mut line = String::new();
        let read = BufReader::new(stdout).read_line(&mut line);
        read.expect("the moto server prints its port");
        let started: Value = serde_json::from_str(&line).expect("it started; its errors are above");
        Self {
            port: started["port"].as_u64().expect("a port"),
            _process: process,
        }
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }
}

/// The endpoint of the server.
pub(crate) fn endpoint() -> String {
    format!("http://{}", SERVER.address())
}

/// Uses a control of the server, which is not a call to AWS: see `tests/moto/server.py`.
pub(crate) fn control(what: &str, request: &Value) -> Value {
    let body = request.to_string();
    let mut stream = TcpStream::connect(SERVER.address()).expect("the moto server is up");
    let head = format!(
        "POST /xrs/{what} HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let request_text = format!("{head}{body}");
    stream
        .write_all(request_text.as_bytes())
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("an answer");
    let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
    assert!(head.contains(" 200 "), "{what} {request}: {body}");
    serde_json::from_str(body).expect("JSON")
}
