//! Answers that are cut off, too long, too slow or endless: each is an error of class unknown, never an empty list. The tests use
//! their own server, which sends whatever a test says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use aws_xregion_sync::model::client_config::{ClientConfig, Secret};
use aws_xregion_sync::model::ids::{ArtifactId, ParentId, Region};
use aws_xregion_sync::model::kind::Kind;
use aws_xregion_sync::model::provider_error::{ErrorClass, ProviderError};
use aws_xregion_sync::model::query::{ImageSelector, Query};
use aws_xregion_sync::provider::Provider;
use aws_xregion_sync::provider::aws::Aws;

use super::caller::Caller;
use super::world::{SECRET_KEY, WEST, location};

/// Answers every request with what `answer` writes for its head and body. Returns the endpoint.
pub(super) fn serve(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("a port");
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let answer = Arc::clone(&answer);
            thread::spawn(move || converse(stream, &*answer));
        }
    });
    format!("http://{address}")
}

fn converse(mut stream: TcpStream, answer: &dyn Fn(&str, &mut TcpStream)) {
    let mut reader = BufReader::new(stream.try_clone().expect("a stream"));
    loop {
        let (mut request, mut length) = (String::new(), 0);
        while !request.ends_with("\r\n\r\n") {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let lower = line.to_lowercase();
            if let Some(stated) = lower.strip_prefix("content-length:") {
                length = stated.trim().parse().expect("a length");
            }
            request.push_str(&line);
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        request.push_str(&String::from_utf8(body).expect("a text"));
        answer(&request, &mut stream);
    }
}

/// Sends a complete HTTP response.
pub(super) fn send(stream: &mut TcpStream, status: u16, body: &str) {
    let head = format!(
        "HTTP/1.1 {status} X\r\nContent-Type: text/xml\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

/// The settings for an endpoint, with a single attempt.
pub(super) fn at(endpoint: &str) -> ClientConfig {
    ClientConfig {
        access_key: Some(Secret::new("AKIAXRS0123456789012")),
        secret_key: Some(Secret::new(SECRET_KEY)),
        endpoint_url: Some(endpoint.to_owned()),
        max_attempts: Some(1),
        ..ClientConfig::default()
    }
}

const IMAGES: [&str; 2] = [
    "<?xml version=\"1.0\"?>\n<DescribeImagesResponse><requestId>1</requestId><imagesSet><item><imageId>ami-1</imageId></item>\
     </imagesSet><nextToken>2</nextToken></DescribeImagesResponse>\n",
    "<DescribeImagesResponse><imagesSet><item><imageId>ami-2</imageId></item></imagesSet></DescribeImagesResponse>",
];

const SNAPSHOTS: [&str; 2] = [
    "<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult><Marker>2</Marker><DBSnapshots><DBSnapshot>\
     <DBSnapshotIdentifier>a</DBSnapshotIdentifier><DBSnapshotArn>arn:a</DBSnapshotArn><DBInstanceIdentifier>a</DBInstanceIdentifier>\
     </DBSnapshot></DBSnapshots></DescribeDBSnapshotsResult></DescribeDBSnapshotsResponse>",
    "<DescribeDBSnapshotsResponse><DescribeDBSnapshotsResult><DBSnapshots/></DescribeDBSnapshotsResult>\
     </DescribeDBSnapshotsResponse>",
];

const CLUSTER_SNAPSHOTS: [&str; 2] = [
    "<DescribeDBClusterSnapshotsResponse><DescribeDBClusterSnapshotsResult><Marker>2</Marker><DBClusterSnapshots>\
     <DBClusterSnapshot><DBClusterSnapshotIdentifier>a</DBClusterSnapshotIdentifier>\
     <DBClusterSnapshotArn>arn:a</DBClusterSnapshotArn><DBClusterIdentifier>a</DBClusterIdentifier></DBClusterSnapshot>\
     </DBClusterSnapshots></DescribeDBClusterSnapshotsResult></DescribeDBClusterSnapshotsResponse>",
    "<DescribeDBClusterSnapshotsResponse><DescribeDBClusterSnapshotsResult><DBClusterSnapshots/>\
     </DescribeDBClusterSnapshotsResult></DescribeDBClusterSnapshotsResponse>",
];

const REFERENCES: [&str; 2] = [
    "<DescribeImageReferencesResponse><imageReferenceSet><item><imageId>ami-1</imageId><arn>arn:a</arn></item></imageReferenceSet>\
     <nextToken>2</nextToken></DescribeImageReferencesResponse>",
    "<DescribeImageReferencesResponse><imageReferenceSet><item><imageId>ami-1</imageId><arn>arn:b</arn></item></imageReferenceSet>\
     </DescribeImageReferencesResponse>",
];

const CALLER: &str = "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>123456789012</Account>\
                      </GetCallerIdentityResult></GetCallerIdentityResponse>";

/// Returns the body of a complete answer to this request, and its page number.
pub(super) fn complete(request: &str) -> (&'static str, usize) {
    let is_second = request.contains("NextToken=2") || request.contains("Marker=2");
    let page = usize::from(is_second);
    let pages = match request {
        request if request.contains("Action=DescribeImages") => IMAGES,
        request if request.contains("Action=DescribeImageReferences") => REFERENCES,
        request if request.contains("Action=DescribeDBSnapshots") => SNAPSHOTS,
        request if request.contains("Action=DescribeDBClusterSnapshots") => CLUSTER_SNAPSHOTS,
        _ => [CALLER; 2],
    };
    (pages[page], page)
}

/// Every kind of read, and for each the pages of its answer.
fn reads() -> Vec<(Kind, Query)> {
    let (image, east) = (ArtifactId::from("ami-1"), Region::from("us-east-1"));
    let selector = ImageSelector {
        owner: "self".to_owned(),
        filters: Vec::new(),
        sync_identifiers: Vec::new(),
    };
    let (database, snapshot) = (ParentId::from("a"), ArtifactId::from("a"));
    let ids = vec![image.clone()];
    let images = [
        (Kind::Image, Query::Matching(selector)),
        (Kind::Image, Query::ByIds(ids.clone())),
        (
            Kind::Image,
            Query::CopiesOf {
                region: east.clone(),
                ids,
            },
        ),
        (Kind::Image, Query::CopiedFrom(east)),
    ];
    let snapshots = [Kind::DbSnapshot, Kind::DbClusterSnapshot].into_iter();
    let snapshots = snapshots.flat_map(|kind| {
        let queries = [
            Query::Automated(vec![database.clone()]),
            Query::Manual(vec![database.clone()]),
            Query::ByIds(vec![snapshot.clone()]),
            Query::AllManual,
        ];
        queries.map(|query| (kind, query))
    });
    images.into_iter().chain(snapshots).collect()
}

#[track_caller]
fn assert_unknown(error: &ProviderError, call: &str) {
    assert_eq!(
        (error.call, error.class),
        (call, ErrorClass::Unknown),
        "{error}"
    );
    assert_eq!(error.region.as_str(), WEST);
}

#[tokio::test]
async fn law_6_an_answer_that_is_cut_off_is_no_empty_list() {
    // Which page is cut, and after how many bytes.
    let cut = Arc::new((AtomicUsize::new(9), AtomicUsize::new(0)));
    let server = Arc::clone(&cut);
    let endpoint = serve(move |request, stream| {
        let (body, page) = complete(request);
        let (cut_page, length) = (&server.0, &server.1);
        let is_cut = cut_page.load(Ordering::SeqCst) == page;
        let length = length.load(Ordering::SeqCst).min(body.len());
        send(stream, 200, if is_cut { &body[..length] } else { body });
    });
    for (kind, query) in reads() {
        let west = Caller::with(at(&endpoint), WEST, kind);
        cut.0.store(9, Ordering::SeqCst);
        assert!(!west.find(query.clone()).await.is_empty(), "{query:?}");
        let (call, pages) = match kind {
            Kind::Image => ("DescribeImages", IMAGES),
            Kind::DbSnapshot => ("DescribeDBSnapshots", SNAPSHOTS),
            Kind::DbClusterSnapshot => ("DescribeDBClusterSnapshots", CLUSTER_SNAPSHOTS),
        };
        for (page, body) in pages.iter().enumerate() {
            cut.0.store(page, Ordering::SeqCst);
            for length in 0..body.trim_end().len() {
                cut.1.store(length, Ordering::SeqCst);
                match west.answer(query.clone()).await {
                    Err(error) => assert_unknown(&error, call),
                    Ok(found) => panic!("{query:?}: {found:?} of {}", &body[..length]),
                }
            }
        }
    }
    let (aws, west) = (Aws::new(), location(at(&endpoint), WEST));
    let ids = [ArtifactId::from("ami-1")];
    cut.0.store(9, Ordering::SeqCst);
    let users = aws.image_references(&west, &ids).await.expect("an answer");
    assert_eq!(users[&ids[0]], ["arn:a", "arn:b"]);
    for (page, body) in REFERENCES.iter().enumerate() {
        cut.0.store(page, Ordering::SeqCst);
        for length in 0..body.len() {
            cut.1.store(length, Ordering::SeqCst);
            let answer = aws.image_references(&west, &ids).await;
            assert_unknown(&answer.expect_err("cut"), "DescribeImageReferences");
        }
    }
    cut.0.store(0, Ordering::SeqCst);
    for length in 0..CALLER.len() {
        cut.1.store(length, Ordering::SeqCst);
        let answer = aws.caller_identity(&west).await;
        assert_unknown(&answer.expect_err("cut"), "GetCallerIdentity");
    }
}

#[tokio::test]
async fn an_answer_that_is_cut_off_once_is_read_again() {
    let calls = AtomicUsize::new(0);
    let endpoint = serve(move |request, stream| {
        let (body, _) = complete(request);
        let is_first = calls.fetch_add(1, Ordering::SeqCst) == 0;
        send(stream, 200, if is_first { &body[..100] } else { body });
    });
    let config = ClientConfig {
        max_attempts: None,
        ..at(&endpoint)
    };
    let west = Caller::with(config, WEST, Kind::Image);
    assert_eq!(
        west.find(Query::CopiedFrom(Region::from("us-east-1")))
            .await
            .len(),
        2
    );
}

/// Returns the error of reading all snapshots from a server that answers like this, with a deadline of one second.
async fn hostile(answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static) -> ProviderError {
    hostile_for(1, answer).await
}

/// The same, with a deadline of a few seconds.
async fn hostile_for(
    seconds: u64,
    answer: impl Fn(&str, &mut TcpStream) + Send + Sync + 'static,
) -> ProviderError {
    let config = ClientConfig {
        read_deadline: Some(Duration::from_secs(seconds)),
        ..at(&serve(answer))
    };
    let start = Instant::now();
    let west = Caller::with(config, WEST, Kind::DbSnapshot);
    let error = west.error(Query::AllManual).await;
    assert!(
        start.elapsed() < Duration::from_secs(seconds + 9),
        "{error}"
    );
    assert_unknown(&error, "DescribeDBSnapshots");
    error
}

fn page(marker: usize) -> String {
    SNAPSHOTS[0].replace("<Marker>2<", &format!("<Marker>{marker}<"))
}

const LATE: &str =
    "DescribeDBSnapshots in us-west-1: Timeout: the read was not complete after 1s (read_deadline)";

#[tokio::test]
async fn law_6_a_list_without_an_end_is_an_error() {
    // The same token forever, and three in turn.
    for tokens in [1, 3] {
        let calls = AtomicUsize::new(0);
        let error = hostile(move |_, stream| {
            let number = calls.fetch_add(1, Ordering::SeqCst);
            send(stream, 200, &page(number % tokens));
        });
        assert!(
            error
                .await
                .message
                .contains("names an earlier one as the next")
        );
    }
    // A new one each time, after a while.
    let calls = AtomicUsize::new(0);
    let error = hostile(move |_, stream| {
        thread::sleep(Duration::from_millis(5));
        send(stream, 200, &page(calls.fetch_add(1, Ordering::SeqCst)));
    });
    assert_eq!(error.await.to_string(), LATE);
}

#[tokio::test]
async fn law_6_an_answer_of_more_than_64_mib_is_an_error() {
    let stated = hostile(|_, stream| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", 1_u64 << 40);
        let _ = stream.write_all(head.as_bytes());
    });
    assert!(stated.await.message.contains("longer than 64 MiB"));
    let unstated = hostile_for(60, |_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
        let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
        while stream.write_all(chunk.as_bytes()).is_ok() {}
    });
    assert!(unstated.await.message.contains("longer than 64 MiB"));
}

#[tokio::test]
async fn law_6_a_server_that_never_ends_its_answer_is_late() {
    let continued = hostile(|_, stream| {
        while stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").is_ok() {
            thread::sleep(Duration::from_millis(1));
        }
    });
    assert_eq!(continued.await.to_string(), LATE);
    let drop_by_drop = hostile(|_, stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(100));
        }
    });
    assert_eq!(drop_by_drop.await.to_string(), LATE);
}
