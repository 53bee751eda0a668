//! Connections that can be cut in the middle, so that an answer gets lost.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;

use axum::extract::connect_info::Connected;
use axum::serve::IncomingStream;
use tokio::io::AsyncRead;
use tokio::io::AsyncWrite;
use tokio::io::ReadBuf;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// A stream of bytes both ways, plain or inside TLS.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {
    /// The socket below it.
    fn socket(&self) -> &TcpStream;
}

impl Duplex for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Duplex for TlsStream<TcpStream> {
    fn socket(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Accepts connections of this kind.
pub(super) struct Listener {
    tcp: TcpListener,
    tls: Option<Handshakes>,
}

/// Handshakes under way: a client that never finishes its own keeps nobody waiting.
struct Handshakes {
    acceptor: TlsAcceptor,
    done: mpsc::UnboundedSender<(Box<dyn Duplex>, SocketAddr)>,
    ready: mpsc::UnboundedReceiver<(Box<dyn Duplex>, SocketAddr)>,
}

impl Listener {
    pub(super) fn new(tcp: TcpListener, acceptor: Option<TlsAcceptor>) -> Self {
        let tls = acceptor.map(|acceptor| {
            let (done, ready) = mpsc::unbounded_channel();
            Handshakes {
                acceptor,
                done,
                ready,
            }
        });
        Self { tcp, tls }
    }

    async fn next(&mut self) -> (Box<dyn Duplex>, SocketAddr) {
        loop {
            let Some(tls) = &mut self.tls else {
                let (stream, address) = axum::serve::Listener::accept(&mut self.tcp).await;
                return (Box::new(stream), address);
            };
            tokio::select! {
                Some(connection) = tls.ready.recv() => return connection,
                (stream, address) = axum::serve::Listener::accept(&mut self.tcp) => {
                    let (handshake, done) = (tls.acceptor.accept(stream), tls.done.clone());
                    tokio::spawn(async move {
                        match handshake.await {
                            // Nobody waits for connections any more once the server stops.
                            Ok(stream) => drop(done.send((Box::new(stream), address))),
                            Err(error) => tracing::debug!(%error, "a client gave up the TLS handshake"),
                        }
                    });
                }
            }
        }
    }
}

/// One connection and its switch.
pub(super) struct Connection {
    stream: Box<dyn Duplex>,
    cutter: Cutter,
}

/// Cuts the connection it belongs to.
#[derive(Clone, Debug, Default)]
pub(super) struct Cutter(Arc<AtomicBool>);

impl Cutter {
    pub(super) fn cut(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// An error once the connection is cut; the other side sees a reset.
    fn check(&self, stream: &TcpStream) -> io::Result<()> {
        if self.0.load(Ordering::SeqCst) {
            stream.set_zero_linger()?;
            Err(io::ErrorKind::ConnectionReset.into())
        } else {
            Ok(())
        }
    }
}

impl Connected<IncomingStream<'_, Listener>> for Cutter {
    fn connect_info(stream: IncomingStream<'_, Listener>) -> Self {
        stream.io().cutter.clone()
    }
}

impl axum::serve::Listener for Listener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        let (stream, address) = self.next().await;
        (
            Connection {
                stream,
                cutter: Cutter::default(),
            },
            address,
        )
    }

    fn local_addr(&self) -> io::Result<Self::Addr> {
        self.tcp.local_addr()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.cutter.check(self.stream.socket())?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.cutter.check(self.stream.socket())?;
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
