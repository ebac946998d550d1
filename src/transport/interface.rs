//! Connections bound to a network interface: new gateways all stand at the same address, each behind an
//! interface of its own. Linux only; elsewhere a clear refusal.

use std::io;

use tokio::net::TcpStream;

/// Connects to an address, through a network interface when one is named.
///
/// # Errors
/// The system's, or that this system cannot bind to an interface.
pub(super) async fn connect(address: &str, port: u16, interface: Option<&str>) -> io::Result<TcpStream> {
    match interface {
        Some(interface) => bound::connect(address, port, interface).await,
        None => TcpStream::connect((address, port)).await,
    }
}

/// Makes an HTTP client go through a network interface.
///
/// # Errors
/// When this system cannot.
pub(super) fn bind(
    builder: reqwest::ClientBuilder,
    interface: Option<&str>,
) -> io::Result<reqwest::ClientBuilder> {
    match interface {
        Some(interface) => bound::client(builder, interface),
        None => Ok(builder),
    }
}

#[cfg(target_os = "linux")]
mod bound {
    use std::io;

    use tokio::net::{TcpSocket, TcpStream, lookup_host};

    pub(super) async fn connect(address: &str, port: u16, interface: &str) -> io::Result<TcpStream> {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
        for to in lookup_host((address, port)).await? {
            let socket = if to.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
            socket.bind_device(Some(interface.as_bytes()))?;
            match socket.connect(to).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    pub(super) fn client(
        builder: reqwest::ClientBuilder,
        interface: &str,
    ) -> io::Result<reqwest::ClientBuilder> {
        Ok(builder.interface(interface))
    }
}

#[cfg(not(target_os = "linux"))]
mod bound {
    use std::io;

    use tokio::net::TcpStream;

    fn refusal<T>() -> io::Result<T> {
        let words = "only Linux can bind a connection to a network interface: connect one gateway at a time";
        Err(io::Error::new(io::ErrorKind::Unsupported, words))
    }

    pub(super) async fn connect(_: &str, _: u16, _: &str) -> io::Result<TcpStream> {
        refusal()
    }

    pub(super) fn client(_: reqwest::ClientBuilder, _: &str) -> io::Result<reqwest::ClientBuilder> {
        refusal()
    }
}
