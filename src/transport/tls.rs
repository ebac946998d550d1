//! TLS to a server that must show a certificate of our own root. No other authority is trusted, and no name
//! let pass.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{CertificateError, ClientConfig, RootCertStore};
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::model::Secret;

/// What a verified server showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// SHA-256 of the certificates it showed (DER), leaf first, lower-case hex.
    pub chain: Vec<String>,
    /// The end of the leaf's validity, Unix seconds.
    pub not_after: i64,
    /// The protocol agreed on, such as `TLSv1_3`.
    pub protocol: String,
}

/// Why there is no verified connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// No way to the host.
    #[error("{whom} cannot be reached: {reason}")]
    Unreachable {
        /// Address and port.
        whom: String,
        /// The system's words.
        reason: String,
    },
    /// The host is there and nothing listens.
    #[error("{whom} refuses the connection")]
    Refused {
        /// Address and port.
        whom: String,
    },
    /// No answer in time.
    #[error("no answer from {whom} within {} s", limit.as_secs_f32())]
    TimedOut {
        /// Address and port.
        whom: String,
        /// The limit.
        limit: Duration,
    },
    /// Its certificate is not of our root, or out of its time, or revoked.
    #[error("certificate of {whom} is not trusted: {reason}")]
    NotTrusted {
        /// Address and port.
        whom: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Its certificate is good but for other names.
    #[error("certificate of {whom} is not for {name}: it is for {}", names.join(", "))]
    NameMismatch {
        /// Address and port.
        whom: String,
        /// The name asked for.
        name: String,
        /// The names it holds.
        names: Vec<String>,
    },
    /// It does not speak TLS as we do.
    #[error("{whom}: {reason}")]
    Protocol {
        /// Address and port.
        whom: String,
        /// What.
        reason: String,
    },
    /// The root or the name we were given is none.
    #[error("{0}")]
    Own(String),
}

/// A server and what it is held to.
#[derive(Clone, Copy, Debug)]
pub struct Server<'a> {
    /// The address to connect to.
    pub address: &'a str,
    /// The TCP port.
    pub port: u16,
    /// The name or IP address its certificate must hold; may differ from the address.
    pub name: &'a str,
    /// Our root certificate, PEM; two while the authority is rotated.
    pub root_pem: &'a str,
    /// What we show of ourselves, when it asks: a certificate with what chains it, and its key, PEM.
    pub shown: Option<(&'a str, &'a Secret)>,
}

impl Server<'_> {
    /// Address and port.
    pub fn whom(&self) -> String {
        match self.address.parse::<IpAddr>() {
            Ok(IpAddr::V6(v6)) => format!("[{v6}]:{}", self.port),
            _ => format!("{}:{}", self.address, self.port),
        }
    }
}

/// Connects and holds the server to our root and to its name.
///
/// # Errors
/// What failed, of which host.
pub async fn handshake(server: Server<'_>, limit: Duration) -> Result<Peer, TlsFault> {
    let stream = connect(server, limit).await?;
    let (_, session) = stream.get_ref();
    let none = || TlsFault::Protocol { whom: server.whom(), reason: "shows no certificate".to_owned() };
    let shown = session.peer_certificates().unwrap_or_default();
    let leaf = shown.first().ok_or_else(none)?;
    let (_, parsed) = x509_parser::parse_x509_certificate(leaf).map_err(|_| none())?;
    Ok(Peer {
        chain: shown.iter().map(|shown| hex::encode(Sha256::digest(shown))).collect(),
        not_after: parsed.validity().not_after.timestamp(),
        protocol: session.protocol_version().map_or_else(String::new, |version| format!("{version:?}")),
    })
}

/// The fingerprints a server shows when it serves this PEM chain: SHA-256 of each certificate, in order.
///
/// # Errors
/// When the text holds no certificate, or a damaged one.
pub fn fingerprints(chain_pem: &str) -> anyhow::Result<Vec<String>> {
    let chain = CertificateDer::pem_slice_iter(chain_pem.as_bytes());
    let chain =
        chain.map(|one| Ok(hex::encode(Sha256::digest(&one?)))).collect::<anyhow::Result<Vec<_>>>()?;
    anyhow::ensure!(!chain.is_empty(), "there is no certificate");
    Ok(chain)
}

/// Whether a TCP connection to a port succeeds within a limit. Proves that a clear-text port is closed.
pub async fn tcp_open(address: &str, port: u16, limit: Duration) -> bool {
    matches!(timeout(limit, TcpStream::connect((address, port))).await, Ok(Ok(_)))
}

/// A verified connection, for those who go on to talk over it.
pub(super) async fn connect(server: Server<'_>, limit: Duration) -> Result<TlsStream<TcpStream>, TlsFault> {
    let config = config(server)?;
    let name = ServerName::try_from(server.name.to_owned())
        .map_err(|_| TlsFault::Own(format!("`{}` is not a name a certificate can hold", server.name)))?;
    let connecting = async {
        let tcp = TcpStream::connect((server.address, server.port)).await?;
        tcp.set_nodelay(true)?;
        TlsConnector::from(Arc::new(config)).connect(name, tcp).await
    };
    match timeout(limit, connecting).await {
        Err(_) => Err(TlsFault::TimedOut { whom: server.whom(), limit }),
        Ok(Err(error)) => Err(fault_of(&error, server.whom(), server.name)),
        Ok(Ok(stream)) => Ok(stream),
    }
}

fn config(server: Server<'_>) -> Result<ClientConfig, TlsFault> {
    let root_pem = server.root_pem;
    let own = |what: &str| TlsFault::Own(format!("root certificate: {what}"));
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(root_pem.as_bytes()) {
        roots.add(root.map_err(|_| own("not PEM"))?).map_err(|_| own("not a certificate"))?;
    }
    if roots.is_empty() {
        return Err(own("not PEM"));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| own(&error.to_string()))?;
    let builder = builder.with_root_certificates(roots);
    let Some((chain, key)) = server.shown else { return Ok(builder.with_no_client_auth()) };
    let bad = |what: &str| TlsFault::Own(format!("client certificate: {what}"));
    let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>();
    let key = PrivateKeyDer::from_pem_slice(key.reveal()).map_err(|_| bad("its key is not PEM"))?;
    builder
        .with_client_auth_cert(chain.map_err(|_| bad("not PEM"))?, key)
        .map_err(|error| bad(&error.to_string()))
}

fn fault_of(error: &std::io::Error, whom: String, name: &str) -> TlsFault {
    use std::io::ErrorKind;
    let within = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (within, error.kind()) {
        (Some(rustls::Error::InvalidCertificate(reason)), _) => match reason {
            CertificateError::NotValidForName => {
                TlsFault::NameMismatch { whom, name: name.to_owned(), names: Vec::new() }
            }
            CertificateError::NotValidForNameContext { presented, .. } => {
                TlsFault::NameMismatch { whom, name: name.to_owned(), names: presented.clone() }
            }
            CertificateError::UnknownIssuer => {
                TlsFault::NotTrusted { whom, reason: "it is not of our root".to_owned() }
            }
            other => TlsFault::NotTrusted { whom, reason: other.to_string() },
        },
        (Some(other), _) => TlsFault::Protocol { whom, reason: other.to_string() },
        (None, ErrorKind::ConnectionRefused) => TlsFault::Refused { whom },
        (None, ErrorKind::UnexpectedEof | ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
            TlsFault::Protocol { whom, reason: "connection closed during the TLS handshake".to_owned() }
        }
        (None, _) => TlsFault::Unreachable { whom, reason: error.to_string() },
    }
}
