//! What the wishes of these tests look up: secrets from a list, a certificate authority made here, the
//! templates of the crate.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rocade::model::Secret;
use rocade::providers::{Fault, Found, Leaf, Lookup};
use rocade::template::Templates;
use tempfile::TempDir;

/// Made once: a certificate is the same for every wish of a test.
static CERTIFICATES: OnceLock<(String, Leaf)> = OnceLock::new();

/// A shelf; what it does not have is pending, as before a first apply.
pub struct Shelf {
    pub secrets: BTreeMap<String, String>,
    pub certificates: Option<(String, Leaf)>,
    pub crls: Option<String>,
    repository: TempDir,
}

impl Shelf {
    /// A shelf before anything was made.
    pub fn empty() -> Self {
        let repository = tempfile::tempdir().unwrap();
        Self { secrets: BTreeMap::new(), certificates: None, crls: None, repository }
    }

    /// A shelf after the authority was made, with every secret the inventories of these tests name.
    pub fn filled() -> Self {
        let secrets = [
            ("gateways/pool-gw/network", "8f3a5c0e91d7426bb0c2e4f6187a9d35"),
            ("gateways/pool-gw/relay", "relay password"),
            ("sensors/hall", "1c9e77a05b3f4d2186e0ba94d35f7c21"),
            ("sensors/basin", "70D2B91E-4A6C-4F83-95E1-0C3BA87D64F2"),
            ("brokers/main/signage", "signage password"),
            ("brokers/main/verify", "verify password"),
        ];
        Self {
            secrets: secrets.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            certificates: Some(CERTIFICATES.get_or_init(certificates).clone()),
            ..Self::empty()
        }
    }

    pub fn with(mut self, name: &str, secret: &str) -> Self {
        self.secrets.insert(name.to_owned(), secret.to_owned());
        self
    }

    /// A template in place of the crate's own, as a repository's `templates/` has it.
    pub fn with_template(self, path: &str, text: &str) -> Self {
        let path = self.repository.path().join("templates").join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
        self
    }

    fn templates(&self) -> Templates {
        Templates::open(self.repository.path())
    }
}

impl Lookup for Shelf {
    fn secret(&self, path: &str) -> Result<Found<Secret>, Fault> {
        let found = self.secrets.get(path).ok_or_else(|| Fault::new(format!("no secret {path}")))?;
        Ok(Found::Ready(Secret::new(found.as_str(), format!("{path}@1"))))
    }

    fn minted(&self, path: &str) -> Result<Found<Secret>, Fault> {
        self.secret(path).or_else(|_| Ok(Found::Pending(format!("secret {path}"))))
    }

    fn authority(&self) -> Result<Found<String>, Fault> {
        Ok(match &self.certificates {
            Some((root, _)) => Found::Ready(root.clone()),
            None => Found::Pending("the root certificate".to_owned()),
        })
    }

    fn crls(&self) -> Result<Found<String>, Fault> {
        let pending = || Found::Pending("the list of revoked certificates".to_owned());
        Ok(self.crls.clone().map_or_else(pending, Found::Ready))
    }

    fn leaf(&self, name: &str) -> Result<Found<Leaf>, Fault> {
        Ok(match &self.certificates {
            Some((_, leaf)) => Found::Ready(leaf.clone()),
            None => Found::Pending(format!("certificate {name}")),
        })
    }

    fn source(&self, path: &str) -> Result<Vec<u8>, Fault> {
        self.templates().source(path).map_err(|error| Fault::new(format!("{error:#}")))
    }

    fn sources(&self, folder: &str) -> Vec<String> {
        self.templates().sources(folder)
    }

    fn render(&self, path: &str, context: &serde_json::Value) -> Result<String, Fault> {
        self.templates().render(path, context).map_err(|error| Fault::new(format!("{error:#}")))
    }
}

fn certificates() -> (String, Leaf) {
    let key = || KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
    let mut root = CertificateParams::default();
    root.distinguished_name.push(DnType::CommonName, "Test Root");
    root.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let issuer = Issuer::new(root.clone(), key());
    let root = root.self_signed(issuer.key()).unwrap();
    let leaf_key = key();
    let leaf = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let leaf = leaf.signed_by(&leaf_key, &issuer).unwrap();
    let key_pem = Secret::new(leaf_key.serialize_pem(), "brokers/main/key@1");
    (root.pem(), Leaf { chain_pem: leaf.pem(), key_pem })
}
