//! Between capol and its tenant: counts the requests, and stops at one of them for the test to act.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};

/// On which side of the work of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The request left, the tenant has not seen it.
    Before,
    /// The tenant has done it, the answer is not there yet.
    After,
}

/// What happens to a request that was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    GoOn,
    Cut,
}

/// A request that waits.
pub(crate) struct Stopped {
    pub(crate) line: String,
    then: Sender<Then>,
}

impl Stopped {
    pub(crate) fn release(self, then: Then) {
        // Whoever asked may be dead already.
        let _gone = self.then.send(then);
    }
}

struct Trap {
    at: usize,
    side: Side,
    tell: Sender<Stopped>,
}

#[derive(Default)]
struct Shared {
    count: usize,
    trap: Option<Trap>,
    connections: usize,
}

#[derive(Default)]
struct State {
    shared: Mutex<Shared>,
    ended: Condvar,
}

/// What is said on a connection to learn that all earlier ones were accepted.
const HELLO: &[u8] = b"\r\n";

/// A proxy for one tenant.
pub(crate) struct Proxy {
    address: std::net::SocketAddr,
    state: Arc<State>,
}

impl Proxy {
    pub(crate) fn start(upstream: &str) -> Self {
        let upstream = upstream.strip_prefix("http://").expect("loopback").to_owned();
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        let state: Arc<State> = Arc::default();
        let inner = Arc::downgrade(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (Some(state), Ok(stream)) = (inner.upgrade(), stream) else {
                    return;
                };
                let upstream = upstream.clone();
                state.shared.lock().unwrap().connections += 1;
                std::thread::spawn(move || {
                    forward(stream, &upstream, &state.shared);
                    state.shared.lock().unwrap().connections -= 1;
                    state.ended.notify_all();
                });
            }
        });
        Self { address, state }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// How many requests came since the last call.
    pub(crate) fn counted(&self) -> usize {
        std::mem::take(&mut self.state.shared.lock().unwrap().count)
    }

    /// Stops at the n-th request from now, from 1.
    pub(crate) fn stop_at(&self, at: usize, side: Side) -> Receiver<Stopped> {
        let (tell, told) = channel();
        let mut shared = self.state.shared.lock().unwrap();
        shared.count = 0;
        shared.trap = Some(Trap { at, side, tell });
        told
    }

    /// Stops at nothing any more: whoever waits for it learns that it will not come.
    pub(crate) fn forget(&self) {
        self.state.shared.lock().unwrap().trap = None;
    }

    /// Waits until everything that processes which are gone have sent is done.
    pub(crate) fn settle(&self) {
        let mut stream = TcpStream::connect(self.address).expect("it listens");
        stream.write_all(HELLO).expect("it listens");
        stream.read_exact(&mut [0; HELLO.len()]).expect("it answers");
        drop(stream);
        let shared = self.state.shared.lock().unwrap();
        drop(
            self.state
                .ended
                .wait_while(shared, |shared| shared.connections > 0),
        );
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        // Wakes the thread that listens, which then sees that nobody needs it any more.
        self.state = Arc::default();
        drop(TcpStream::connect(self.address));
    }
}

fn forward(client: TcpStream, upstream: &str, shared: &Mutex<Shared>) -> Option<()> {
    client.set_nodelay(true).ok()?;
    let mut client = BufReader::new(client);
    let mut server = None;
    loop {
        let request = message(&mut client)?;
        if request == HELLO {
            return client.get_mut().write_all(HELLO).ok();
        }
        let number = {
            let mut shared = shared.lock().unwrap();
            shared.count += 1;
            shared.count
        };
        pass(shared, number, Side::Before, &request)?;
        let mut connection = match server.take() {
            Some(connection) => connection,
            None => BufReader::new(TcpStream::connect(upstream).ok()?),
        };
        connection.get_mut().write_all(&request).ok()?;
        let answer = message(&mut connection)?;
        pass(shared, number, Side::After, &request)?;
        client.get_mut().write_all(&answer).ok()?;
        server = Some(connection);
    }
}

/// Waits if this is the one to be stopped; none when it shall be cut.
fn pass(shared: &Mutex<Shared>, number: usize, side: Side, request: &[u8]) -> Option<()> {
    let meant = |trap: &mut Trap| trap.at == number && trap.side == side;
    let Some(trap) = shared.lock().unwrap().trap.take_if(meant) else {
        return Some(());
    };
    let line = String::from_utf8_lossy(request).lines().next()?.to_owned();
    let (then, said) = channel();
    trap.tell.send(Stopped { line, then }).ok()?;
    (said.recv().ok()? == Then::GoOn).then_some(())
}

/// One request or answer: its head, and as much body as the head says.
fn message(stream: &mut BufReader<TcpStream>) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut length = 0;
    loop {
        let from = bytes.len();
        if stream.read_until(b'\n', &mut bytes).ok()? == 0 {
            return None;
        }
        let line = String::from_utf8_lossy(&bytes[from..]).to_ascii_lowercase();
        if let Some(said) = line.strip_prefix("content-length:") {
            length = said.trim().parse().expect("a length");
        }
        assert!(
            !line.starts_with("transfer-encoding"),
            "neither side sends chunks"
        );
        if line == "\r\n" {
            break;
        }
    }
    let from = bytes.len();
    bytes.resize(from + length, 0);
    stream.read_exact(&mut bytes[from..]).ok()?;
    Some(bytes)
}
