//! HTTP/2 in the clear, as some SDKs speak it from the first byte, and what its frames can be abused for. Frames are written by hand: no
//! client would send these.
//!
//! <https://www.rfc-editor.org/rfc/rfc9113>

use std::sync::Arc;

use kernel::{ManualClock, Timestamp};
use testkit::{Sandbox, Setup};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const CONTINUATION: u8 = 9;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// More frames of a kind than any honest connection has.
const FLOOD: u32 = 200_000;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("a short payload").to_be_bytes();
    let mut out = vec![length[1], length[2], length[3], kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// GET /_headwater/health of localhost, without compression of strings.
fn request() -> Vec<u8> {
    // :method GET and :scheme http are entries of the static table; :path and :authority are literals with its names.
    let mut block = vec![0x82, 0x86];
    for (name, value) in [(4, "/_headwater/health"), (1, "localhost")] {
        block.extend([name, u8::try_from(value.len()).expect("short")]);
        block.extend(value.as_bytes());
    }
    block
}

struct Connection(TcpStream);

impl Connection {
    async fn begin(sandbox: &Sandbox) -> Self {
        Self::begin_with(sandbox, &[]).await
    }

    async fn begin_with(sandbox: &Sandbox, settings: &[u8]) -> Self {
        let mut socket = TcpStream::connect(sandbox.addresses().api).await.expect("the node listens");
        socket.write_all(PREFACE).await.expect("it is read");
        socket.write_all(&frame(SETTINGS, 0, 0, settings)).await.expect("it is read");
        Self(socket)
    }

    /// The next frame: kind, flags, stream and payload; none when the node has closed.
    async fn next(&mut self) -> Option<(u8, u8, u32, Vec<u8>)> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        Some((head[3], head[4], u32::from_be_bytes([head[5], head[6], head[7], head[8]]), payload))
    }

    /// Sends frames while the node takes them, and returns the reason with which it ended the connection; none if it just closed.
    async fn flood(self, frames: impl Iterator<Item = Vec<u8>>) -> Option<u32> {
        let (reader, mut writer) = self.0.into_split();
        let mut connection = reader;
        let ended = async {
            let mut reason = None;
            loop {
                let mut head = [0; 9];
                if connection.read_exact(&mut head).await.is_err() {
                    return reason;
                }
                let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
                if connection.read_exact(&mut payload).await.is_err() {
                    return reason;
                }
                if head[3] == GOAWAY {
                    reason = Some(u32::from_be_bytes([payload[4], payload[5], payload[6], payload[7]]));
                }
            }
        };
        let send = async {
            for chunk in frames.collect::<Vec<_>>().chunks(1000) {
                if writer.write_all(&chunk.concat()).await.is_err() {
                    break;
                }
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            reason = ended => reason,
            () = send => unreachable!("it never ends"),
        }
    }
}

async fn is_well(sandbox: &Sandbox) {
    let mut connection = Connection::begin(sandbox).await;
    connection
        .0
        .write_all(&frame(HEADERS, END_STREAM | END_HEADERS, 1, &request()))
        .await
        .expect("it is read");
    while let Some((kind, _, stream, payload)) = connection.next().await {
        if (kind, stream) == (HEADERS, 1) {
            // :status 200 is entry 8 of the static table.
            assert_eq!(payload.first().copied(), Some(0x88), "{payload:?}");
            return;
        }
    }
    panic!("the node closed without an answer");
}

#[tokio::test]
async fn a_client_may_begin_with_http_2() {
    is_well(&Sandbox::new().await).await;
}

/// ENHANCE_YOUR_CALM.
const CALM: u32 = 11;

#[tokio::test]
async fn streams_reset_as_soon_as_begun_end_the_connection() {
    let sandbox = Sandbox::new().await;
    let connection = Connection::begin(&sandbox).await;
    let frames = (0..FLOOD).flat_map(|n| {
        let stream = 2 * n + 1;
        [
            frame(HEADERS, END_STREAM | END_HEADERS, stream, &request()),
            frame(RST_STREAM, 0, stream, &8u32.to_be_bytes()),
        ]
    });
    assert_eq!(connection.flood(frames).await.unwrap_or(CALM), CALM);
    is_well(&sandbox).await;
}

#[tokio::test]
async fn headers_without_an_end_end_the_connection() {
    let sandbox = Sandbox::new().await;
    let connection = Connection::begin(&sandbox).await;
    // A literal that is not indexed, `x: ` and a kilobyte.
    let mut header = vec![0, 1, b'x', 0x7f, 0x81, 0x07];
    header.extend([b'a'; 1024]);
    let begin = frame(HEADERS, END_STREAM, 1, &request());
    let more = (0..FLOOD / 10).map(|_| frame(CONTINUATION, 0, 1, &header));
    connection.flood(std::iter::once(begin).chain(more)).await;
    is_well(&sandbox).await;
}

#[tokio::test]
async fn a_flood_of_pings_or_settings_harms_nobody_else() {
    let sandbox = Sandbox::new().await;
    let floods: [fn() -> Vec<u8>; 2] = [|| frame(PING, 0, 0, &[0; 8]), || frame(SETTINGS, 0, 0, &[])];
    for flood in floods {
        // Nobody reads the node's answers to them: they must not gather without bound.
        let mut connection = Connection::begin(&sandbox).await;
        let frames: Vec<u8> = (0..1000).flat_map(|_| flood()).collect();
        for _ in 0..100 {
            let written = tokio::select! {
                biased;
                written = connection.0.write_all(&frames) => written,
                () = is_well(&sandbox) => break,
            };
            if written.is_err() {
                break;
            }
        }
        is_well(&sandbox).await;
    }
}

/// A client that is there, answers pings, and never opens its window: its answer would wait for ever.
#[tokio::test]
async fn an_answer_behind_a_closed_window_is_not_waited_for() {
    let clock = ManualClock::new(Timestamp::from_millis(0));
    let setup = Setup { connection_clock: Arc::new(clock.clone()), ..Setup::default() };
    let sandbox = Sandbox::with(setup).await;
    // SETTINGS_INITIAL_WINDOW_SIZE, 4, is 0.
    let mut connection = Connection::begin_with(&sandbox, &[0, 4, 0, 0, 0, 0]).await;
    let asked = frame(HEADERS, END_STREAM | END_HEADERS, 1, &request());
    connection.0.write_all(&asked).await.expect("it is read");
    let (mut passed, mut answered) = (0, None);
    let (reader, mut writer) = connection.0.split();
    let mut reader = tokio::io::BufReader::new(reader);
    loop {
        tokio::select! {
            biased;
            ready = reader.fill_buf() => match ready {
                Ok([]) | Err(_) => break,
                Ok(_) => {
                    let mut head = [0; 9];
                    reader.read_exact(&mut head).await.expect("a whole frame");
                    let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
                    reader.read_exact(&mut payload).await.expect("a whole frame");
                    match head[3] {
                        HEADERS => answered = Some(passed),
                        PING if head[4] == 0 => writer.write_all(&frame(PING, 1, 0, &payload)).await.unwrap_or(()),
                        DATA => assert!(payload.is_empty(), "the window is closed"),
                        _ => {}
                    }
                }
            },
            () = crate::slow_clients::tick() => {
                clock.advance(std::time::Duration::from_secs(1));
                passed += 1;
                assert!(passed < 300, "the answer is still waited for");
            }
        }
    }
    assert!(answered.is_some() && passed >= 60, "{answered:?} {passed}");
    is_well(&sandbox).await;
}
