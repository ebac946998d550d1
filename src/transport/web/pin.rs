//! Holds a server to one certificate: whoever shows another, or cannot prove that it is its own, is not
//! talked to. Names and authorities say nothing here.

use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, DigitallySignedStruct, SignatureScheme};
use sha2::{Digest, Sha256};

/// The certificate of one session.
#[derive(Debug, Default)]
pub(super) struct Pin(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    /// What the server must show; what it showed first when nothing was pinned.
    expected: Option<String>,
    /// Another one that it showed.
    other: Option<String>,
}

impl Pin {
    /// Holds the server to a fingerprint; without one, to the first it shows.
    pub(super) fn new(expected: Option<&str>) -> Self {
        Self(Mutex::new(Held { expected: expected.map(str::to_owned), other: None }))
    }

    fn with<T>(&self, look: impl FnOnce(&mut Held) -> T) -> T {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The fingerprint that the server is held to.
    pub(super) fn expected(&self) -> Option<String> {
        self.with(|held| held.expected.clone())
    }

    /// Another fingerprint that it showed since this was last asked: expected and shown.
    pub(super) fn take_other(&self) -> Option<(String, String)> {
        self.with(|held| held.expected.clone().zip(held.other.take()))
    }

    fn judge(&self, shown: String) -> bool {
        self.with(|held| {
            let fits = *held.expected.get_or_insert_with(|| shown.clone()) == shown;
            if !fits {
                held.other = Some(shown);
            }
            fits
        })
    }
}

/// TLS that asks a pin.
///
/// # Errors
/// When the cryptography at hand offers no version of TLS.
pub(super) fn config(pin: Arc<Pin>) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier = Verifier { pin, provider: Arc::clone(&provider) };
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth())
}

#[derive(Debug)]
struct Verifier {
    pin: Arc<Pin>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        leaf: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match self.pin.judge(fingerprint(leaf)) {
            true => Ok(ServerCertVerified::assertion()),
            false => Err(rustls::CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        leaf: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, leaf, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// A certificate's fingerprint, written as those of host keys are.
fn fingerprint(leaf: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(leaf)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_certificate_holds_for_the_rest_of_a_session() {
        let pin = Pin::new(None);
        assert!(pin.judge("SHA256:a".into()) && pin.judge("SHA256:a".into()));
        assert!(!pin.judge("SHA256:b".into()));
        assert_eq!(pin.take_other(), Some(("SHA256:a".into(), "SHA256:b".into())));
        assert_eq!(pin.take_other(), None);
        assert!(!Pin::new(Some("SHA256:c")).judge("SHA256:a".into()));
    }
}
