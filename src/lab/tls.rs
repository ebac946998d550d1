//! TLS for the simulated devices, with the one crypto provider of this program.

use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

fn provider() -> Arc<rustls::crypto::CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// What a server shows: certificate chain and key, both PEM.
///
/// # Errors
/// Why they cannot be used, without showing them.
pub fn server(chain_pem: &[u8], key_pem: &[u8]) -> Result<Arc<ServerConfig>, String> {
    let chain: Vec<_> = CertificateDer::pem_slice_iter(chain_pem)
        .collect::<Result<_, _>>()
        .map_err(|error| format!("the certificate cannot be read: {error}"))?;
    let key = PrivateKeyDer::from_pem_slice(key_pem)
        .map_err(|error| format!("the private key cannot be read: {error}"))?;
    let config = ServerConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| format!("certificate and key cannot be used: {error}"))?;
    Ok(Arc::new(config))
}

/// A server certificate nobody vouches for, as a device makes it for itself.
///
/// # Errors
/// When it cannot be made.
pub fn self_signed(names: &[&str]) -> Result<Arc<ServerConfig>, String> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let made = rcgen::generate_simple_self_signed(names).map_err(|error| error.to_string())?;
    server(made.cert.pem().as_bytes(), made.signing_key.serialize_pem().as_bytes())
}

/// What a client that trusts only the roots in `roots_pem` uses.
///
/// # Errors
/// When there is no root in it.
pub fn client(roots_pem: &[u8]) -> Result<Arc<ClientConfig>, String> {
    let mut roots = RootCertStore::empty();
    for root in CertificateDer::pem_slice_iter(roots_pem) {
        let root = root.map_err(|error| format!("the root certificate cannot be read: {error}"))?;
        roots.add(root).map_err(|error| format!("the root certificate cannot be used: {error}"))?;
    }
    if roots.is_empty() {
        return Err("there is no root certificate".to_owned());
    }
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}
